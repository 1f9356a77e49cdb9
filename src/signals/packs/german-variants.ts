import type { LanguagePack } from "../LanguagePack.ts"

const adverb =
  "(wirklich|echt|so|sehr|einfach|völlig|total|absolut|komplett|langsam|richtig|ganz|schon|doch|ja|nur noch|)"
const awful =
  "(nutzlos|sinnlos|lächerlich|unbrauchbar|unverschämt|furchtbar|schrecklich|katastrophal|unmöglich|inakzeptabel|frustrierend|nervig|ärgerlich|miserabel|absurd|peinlich|mühsam|hoffnungslos|wertlos|schwachsinn|unsinn|quatsch|blödsinn|müll|mist|schrott|eine frechheit|ein witz|ein trauerspiel|eine katastrophe|eine zumutung|eine unverschämtheit|eine farce|zum verzweifeln|zum kotzen|zum haare raufen|nicht akzeptabel)"
const someone =
  "(menschen|echten menschen|richtigen menschen|mitarbeiter|mitarbeiterin|echten mitarbeiter|kollegen|kollegin|vorgesetzten|vorgesetzte|chef|chefin|berater|beraterin|kundenberater|sachbearbeiter|ansprechpartner|ansprechpartnerin|verantwortlichen|teamleiter|techniker|person|echten person|echte person|jemandem|jemanden|jemand)"

/** German: the same notions in more of the words that there are for them. */
export const germanVariants: LanguagePack = {
  language: "de",
  patterns: {
    correction: [
      "=(das|dies|das da) (ist|war) (leider|aber|doch|) (die|der|das|den) (falsche|falsches|falscher|verkehrte|verkehrter)",
      "=(du hast|sie haben|ihr habt) (mir|da|hier|) (die|den|das|dem) (falsche|falschen|falsches|verkehrte|verkehrten)",
      "=(du hast|sie haben|ihr habt) * (verwechselt|vertauscht|vergessen|übersehen|überlesen|ignoriert|ausgelassen|weggelassen|missverstanden|falsch verstanden)",
      "=(da|hier|das) (hast du|haben sie|habt ihr) * (verwechselt|vertauscht|vergessen|übersehen|missverstanden|falsch verstanden)",
      "=(das|so|es) (meinte|meine|wollte|brauche|suche) ich (aber|doch|) (nicht|gar nicht)",
      "=(so|das) (war|hatte ich|habe ich|hab ich) (das|es|) (nicht|anders) (gemeint|gewollt|gewünscht|bestellt|gesagt)",
      "=ich (habe|hab|hatte) (doch|aber|ausdrücklich|extra|eigentlich|explizit|klar|) (nach|um|von|ausdrücklich|extra) * (gefragt|gebeten|gesprochen|gesagt|geschrieben)",
      "=ich (habe|hab|hatte) (doch|ausdrücklich|extra|explizit|klar und deutlich) * (gesagt|geschrieben|gefragt|verlangt|gewollt|gewünscht)",
      "=(bist du|sind sie) (dir|sich|) (da|ganz|wirklich|) sicher",
      "=(das|es) kann (doch|aber|so|) (nicht|gar nicht) (stimmen|sein|richtig sein|hinkommen)",
      "=(das|deine antwort|ihre antwort|die zahl|das datum|die angabe|das ergebnis) (beantwortet|stimmt|passt) (meine frage|so|leider|aber|doch|) nicht",
      "=(das|die antwort|deine antwort|ihre antwort) (beantwortet|trifft) (nicht meine frage|meine frage nicht|es nicht)",
      "=(das|die|den) * gibt es (gar|überhaupt|doch) nicht",
      "=(du irrst dich|sie irren sich|du liegst falsch|sie liegen falsch|da irrst du|da irren sie|da liegst du falsch)",
      "=(das|dies) ist (so|leider|schlicht|einfach|komplett|völlig|inhaltlich|sachlich|) (falsch|verkehrt|unrichtig|nicht richtig|nicht korrekt|unwahr)",
      "=(da|hier) (ist|steckt) (ein|noch ein) fehler (drin|in deiner|in ihrer|in der antwort)",
      "=(thema verfehlt|am thema vorbei|an der frage vorbei|darum ging es nicht|darum geht es nicht|darum geht es mir nicht)",
      "=(nein|ne|nee) (nicht|sondern|falsch) (das|die|der|den|dem|so)",
      "=(nicht|und nicht) (diese|dieser|dieses|die da|der da|das da|jene)",
      "=(sondern|stattdessen|statt dessen) (hast|haben|kam|kommt|steht|bekomme|bekam) (du|sie|ich|da|hier|nur)",
      "=(immer noch|schon wieder|wieder|weiterhin) (falsch|verkehrt|nicht richtig|nicht das)"
    ],
    rephrase: [
      "=(ich|dann) (frage|frag|sage|sag|formuliere|erkläre|versuche|versuch|probiere) (ich|) (es|das|meine frage|) (mal|nochmal|noch mal|noch einmal|) (anders|neu|um|mit anderen worten|andersherum|einfacher|genauer|konkreter|präziser)",
      "=(lass|lassen sie) (mich|es mich|mich es) (das|es|meine frage|) (mal|nochmal|noch mal|noch einmal|) (anders|neu|genauer|konkreter|umformulieren|präzisieren|anders sagen|anders fragen|anders ausdrücken|anders formulieren)",
      "=(anders|besser|genauer|einfacher|konkreter|präziser|kürzer) (gesagt|gefragt|formuliert|ausgedrückt)",
      "=(um es|ums) (anders|einfacher|genauer|konkreter|klarer) (zu sagen|zu formulieren|auszudrücken)",
      "=(worum es mir geht|was ich wissen will|was ich wissen möchte|was ich eigentlich wissen|was ich meine|worauf ich hinauswill)",
      "=(vielleicht|ich glaube) (war|habe ich|hab ich) (das|ich|meine frage|mich) (unklar|nicht klar|zu ungenau|missverständlich|unklar ausgedrückt)",
      "=ich hätte (genauer|klarer|anders) (fragen|sagen|formulieren)"
    ],
    clarification: [
      "=(verstehe|versteh|kapiere|kapier|begreife|check|checke) (ich|das|es) (immer noch|leider|einfach|ehrlich gesagt|das|) (nicht|nicht so ganz|gar nicht|überhaupt nicht|null)",
      "=(habe|hab) (ich|das) (das|ich|) (leider|immer noch|) (nicht|nicht ganz|überhaupt nicht) (verstanden|kapiert|begriffen)",
      "=(das|da) (sagt|sagen) mir (leider|jetzt|) (nichts|gar nichts|überhaupt nichts|wenig)",
      "=(da|hier|jetzt) (komme|komm|steige|blicke) ich (nicht|leider nicht|gerade nicht) (mit|mehr mit|durch|hinterher|mehr durch)",
      "=was (heißt|bedeutet|soll|meinst|meinen) (das|du|sie|dieses|dieser|diese) * (konkret|genau|eigentlich|heißen|bedeuten|auf deutsch|für mich|damit)",
      "=was (heißt|bedeutet) das (konkret|genau|jetzt|denn|nun|überhaupt|auf deutsch|für mich)",
      "=was (soll|ist) (mit|unter|) * (gemeint|zu verstehen)",
      "=(ich bin|jetzt bin ich|bin) (jetzt|völlig|etwas|ganz|noch|total|) (verwirrt|verloren|überfordert|raus|ratlos)",
      "=(ich verstehe|versteh ich|verstehe ich) (nur bahnhof|kein wort|nichts davon|davon nichts)",
      "=(das ist|klingt|das sind) (für mich|mir|) (alles|) (nur|) (böhmische dörfer|fachchinesisch|chinesisch|kauderwelsch|zu hoch|zu technisch|zu abstrakt|zu kompliziert|unverständlich)",
      "=(geht|ginge|kannst du|können sie|könntest du|könnten sie) (das|es|mir das|) (auch|bitte|vielleicht|) (einfacher|verständlicher|genauer|noch mal|nochmal|noch einmal|für laien|für dummies|auf deutsch|in einfachen worten|weniger technisch)",
      "=(kannst du|können sie|könntest du|könnten sie) (mir|) (das|es) (bitte|mal|) (näher|genauer|einfacher|nochmal|noch einmal|anders|verständlich|verständlicher|in ruhe) (erläutern|erklären)",
      "=(wie|was) (bitte|meinst du|meinen sie) (das|damit|jetzt)",
      "=(mir|das) (ist|bleibt) (immer noch|noch|leider|noch immer|) (nicht klar|unklar|schleierhaft|ein rätsel)",
      "=(auf deutsch|für laien|für dummies|für anfänger) bitte",
      "=(keine|null) ahnung (was|wovon) (du|sie|das|damit)",
      "=(das|es) (leuchtet mir nicht ein|erschließt sich mir nicht|ist mir zu hoch)",
      "=(hä|häh|wie jetzt|was jetzt)",
      "=(ich|mir) (tue mich schwer|fällt es schwer) (das|dem|zu|damit)",
      "=(kann|werd|werde) (ich|damit) (damit|ich|daraus) (nichts|nicht viel|nicht) (anfangen|schlau)"
    ],
    humanAgent: [
      `=(mit|zu) (einem|einer|nem|ihrem|deinem|eurem|dem|der|) (echten|richtigen|zuständigen|kompetenten|anderen|lebenden|) ${someone} (bei ihnen|aus ihrem team|am telefon|) (sprechen|reden|telefonieren|chatten|verbinden|verbunden|klären|zu tun haben|besprechen|unterhalten)`,
      `=(gib|geben sie|hol|holen sie|schick|schicken sie) (mir|) (bitte|jetzt|endlich|) (einen|eine|deinen|ihren|ihre|den|die) ${someone}`,
      `=(ich will|ich möchte|ich brauche|ich verlange|ich hätte gern|ich hätte gerne|ich will jetzt|ich möchte jetzt) (endlich|bitte|jetzt|gern|gerne|sofort|) (einen|eine|nen|ihren|deinen|mit ihrem|mit deinem|mit einem|mit einer|den) ${someone}`,
      "=(verbinde|verbinden sie|stell|stellen sie|leite|leiten sie|gib|geben sie) (mich|meinen fall|mein anliegen|das) (bitte|jetzt|endlich|doch|) (mit|zu|an|durch|weiter) (einem|einer|einen|eine|jemandem|jemanden|ihrem|deinem|dem|der|den)",
      "=(gibt|ist|sitzt) (es|da|dort|bei ihnen|hier) (bei ihnen|da|dort|auch|denn|irgendwo|) (irgend|) (jemand|jemanden|einen menschen|ein mensch|echte menschen|einen echten menschen|irgendwen|irgendjemand|irgendjemanden)",
      "=(kann|könnte|soll|möge|bitte lassen sie) (mich|uns|) (bitte|) (jemand|ein mensch|ein mitarbeiter|ein kollege|eine kollegin|einer ihrer kollegen|ihr chef) (mich|uns|bitte|vom|von|aus|) (vom|von|aus|ihrem|dem|ihnen|team|support|bitte|) (anrufen|zurückrufen|kontaktieren|übernehmen|team|melden|kümmern|zurück)",
      "=(kann|könnte) (ich|man) (bitte|mal|) (mit jemandem|jemanden|einen menschen|einen mitarbeiter|mit einem menschen|mit einem mitarbeiter) (bei ihnen|) (sprechen|erreichen|anrufen|reden|telefonieren)",
      "=(rufen sie|ruf|ruft) mich (bitte|doch|) (an|zurück)",
      "=(am telefon|telefonisch|persönlich) (mit jemandem|mit einem menschen|mit einem mitarbeiter|mit wem|jemanden)",
      "=(aus fleisch und blut|keinen bot|keinem bot|nicht mit einem bot|nicht mit einer maschine|nicht mit einem roboter|nicht länger mit einem)",
      "=(einen|echten|richtigen) menschen (bitte|sprechen|erreichen)"
    ],
    support: [
      "=(wie|wo|unter welcher nummer) (erreiche|kann|kontaktiere) ich (den|ihren|euren|einen|) (kundendienst|kundenservice|kundensupport|support|kundenbetreuung|service)",
      "=(telefonnummer|nummer|hotline) (des|vom|für den|ihres|der|von ihrem) (kundendienst|kundendienstes|kundenservice|support|supports|hotline)",
      "=(beschwerde|beschweren|reklamation) (einreichen|einlegen|möchte ich|über sie|bei ihnen)",
      "=ich (möchte|will|werde) mich (offiziell|jetzt|) (beschweren|bei ihrem chef)"
    ],
    quit: [
      "=(dann|ich|da) (mache|mach|erledige|schreibe|suche|rechne|übersetze|google|löse|kümmere) (ich|) (es|das|den rest|mich|mir) (lieber|dann|jetzt|eben|halt|doch|einfach|selbst|) (selbst|selber|von hand|manuell|allein|alleine|woanders|anderswo|anders|selbst drum|selber drum)",
      "=(frage|frag|gehe|geh|wende) ich (eben|halt|dann|lieber|mich|) (jemand anderen|jemand anders|woanders|woandershin|zur konkurrenz|anderswo)",
      "=(ach|na|ok|okay) (egal|vergiss es|lassen wir|schon gut|lass gut)",
      "=(schon gut|egal|vergiss es|lass es) (ich|dann|danke|trotzdem|jetzt)",
      "=(das|es|so) (führt|bringt|wird|hat) (doch|so|hier|uns|mich|ja|) (zu nichts|nichts|nicht weiter|keinen sinn mehr|nichts mehr)",
      "=so (kommen|komme) (wir|ich) (nicht|hier nicht) weiter",
      "=(hat|macht|ist) (alles|doch|ja|) keinen (zweck|sinn) mehr",
      "=ich (bin|hab|habe|hätte) (hier|es|jetzt|) (fertig mit|raus hier|genug|die schnauze voll davon|keine lust mehr)",
      "=(keine lust mehr|ich hab genug|ich habe genug|mir reichts|mir langts|jetzt reichts|das wars für mich|ich bin raus|ich breche ab|ich höre auf|ich lass es)",
      "=ich (kündige|storniere|lösche|wechsle|wechsel) (jetzt|hiermit|dann|sofort) (mein|den|alles|die|zur|zu)",
      "=(lass|lassen wir|lassen sie) (stecken|es gut sein)"
    ],
    profanity: [
      "=(scheiß|drecks|mist|kack) (bot|ki|ding|teil|laden|app|programm|verein)",
      "=(scheißbot|drecksding|scheißding|drecksladen|saftladen|mistding)",
      "=(du|sie) (blöde|blöder|dumme|dummer|verdammte|verdammter) (maschine|kiste|bot|kuh|ki|ding)",
      "=(bist du|sind sie) (bescheuert|dumm|blöd|doof|taub|blind|behindert|bekloppt)"
    ],
    complaint: [
      `=(das|es|ihr service|euer service|ihr support|der support|der service|die app|ihre app|dieser bot|dieser service|diese app|diese seite|ihre seite) ist ${adverb} ${awful}`,
      `=(du bist|sie sind|deine antworten sind|ihre antworten sind) ${adverb} ${awful}`,
      "=(so|was für|das ist|das ist doch) (ein|eine|einen) (witz|frechheit|unverschämtheit|katastrophe|saftladen|zumutung|farce|schwachsinn|quatsch|mist|trauerspiel|murks)",
      "=(das|es) (darf|kann) (doch|ja|alles|echt|doch echt|doch wohl|) (nicht|wohl nicht|alles nicht|echt nicht) (wahr sein|euer ernst sein|ihr ernst sein|dein ernst sein)",
      "=(ist|war) das (ihr|dein|euer) ernst",
      "=ich (habe|hab) (die nase|die schnauze|die faxen|die nerven|es|langsam|genug|so) (voll|dicke|satt|gestrichen voll|genug von|die nase voll)",
      "=(die nase|die schnauze|die faxen) (gestrichen|langsam|) (voll|dicke)",
      "=(das|es|du|sie) (nervt|nerven|nervst|ärgert|macht mich|bringt mich|treibt mich) (mich|langsam|einfach|nur|total|echt|wahnsinnig|verrückt|auf die palme|in den wahnsinn|zur weißglut|wütend|fertig|nur noch|gewaltig)",
      "=ich (bin|werde) (langsam|echt|wirklich|sehr|total|so|mehr als|allmählich|richtig|ziemlich|) (genervt|frustriert|sauer|verärgert|enttäuscht|wütend|stinksauer|am verzweifeln|am ende|bedient)",
      "=ich (verliere|verlier) (langsam|allmählich|gleich|) die (geduld|nerven)",
      "=(ich|wir) (warte|warten|probiere|sitze|hänge) (hier|jetzt|das|es|schon|) (jetzt|schon|) (seit|schon seit|schon) (stunden|tagen|wochen|monaten|einer stunde|ewigkeiten|über einer|zwei|drei|vier)",
      "=(schon|zum|das) (wieder|dritten|vierten|fünften|zehnten|zigsten|x ten|hundertsten) (mal|derselbe|dieselbe|das gleiche|dasselbe)",
      "=(wieder|immer noch|schon wieder|nach wie vor) (dasselbe|das gleiche|derselbe|der gleiche|dieselbe|die gleiche) (problem|fehler|antwort|leier|)",
      "=(immer|ständig|dauernd) (noch|nur|wieder) (diese|dieselben|die gleichen|dieser|das) (ausreden|fehler|antworten|floskeln|fehlermeldung)",
      "=(nichts|nix|gar nichts) (davon|hiervon|) (funktioniert|hilft|klappt|geht|bringt|hat geholfen|hat funktioniert)",
      "=(du|sie) (hörst|hören|verstehst|verstehen|kannst|können|hilfst|helfen|liest|lesen) (mir|ja|einfach|) (gar nichts|nichts|nicht zu|überhaupt nichts|kein stück|mir nicht|mir gar nicht|mir überhaupt nicht)",
      "=(unverschämt|unfassbar|unglaublich|lächerlich|katastrophal) (so|was|wie|dieser|diese|dass|schlecht)",
      "=(danke für nichts|vielen dank für nichts|keine hilfe|tolle hilfe|super hilfe)",
      "=(schlechtester|schlechteste|miesester|mieseste|dümmste|dümmster) (bot|service|support|antwort|app|ki|kundenservice)",
      "=(so ein mist|so ein quatsch|so ein schwachsinn|was soll das|was soll der mist|das ist doch kein service)",
      "=wollen sie mich (veräppeln|verarschen|auf den arm nehmen)",
      "=willst du mich (veräppeln|verarschen|auf den arm nehmen)",
      "=(boah|grr|argh|herrgott|himmelherrgott|menno)",
      "=(och nee|oh mann|meine güte|um himmels willen|nicht schon wieder|das gibts doch nicht|das gibt es doch nicht|leute echt|ich fasse es nicht|ich glaub es nicht|ich hasse)",
      "=(ihr|du|sie) (verschwendest|verschwenden|verschwendet|klaust|raubst) (hier|nur|) meine zeit"
    ],
    gratitude: [
      "=(damit|das|da|du|sie) (hast|haben|hat) (du|sie|mir|) (mir|uns|) (echt|sehr|wirklich|wahnsinnig|riesig|enorm|total|schon|super|ungemein|) (geholfen|weitergeholfen|gerettet|viel arbeit erspart|viel zeit gespart|den tag gerettet|den abend gerettet|weiter geholfen)",
      "=(das|dies) (hilft|bringt) (mir|uns) (schon|wirklich|echt|sehr|enorm|ungemein|total|) (sehr|weiter|viel|enorm|ungemein)",
      "=(vielen|tausend|herzlichen|besten|lieben|recht herzlichen) (lieben|herzlichen|) dank",
      "=(danke|dank) (dir|ihnen|schön|sehr|vielmals|ihnen vielmals|dir vielmals|euch|) (vielmals|von herzen|tausendmal|für die|für deine|für ihre|für die schnelle|für das erklären|für den tipp|für die geduld|für die mühe)",
      "=(ich bin|bin) (dir|ihnen|euch) (sehr|wirklich|so|unendlich|ewig|) (dankbar|verbunden)",
      "=(du bist|sie sind|bist) (ein|eine|mein|meine|der|die|echt ein|wirklich ein|einfach) (schatz|engel|held|heldin|retter|retterin|lebensretter|genie|beste|bester|wucht|goldstück|große hilfe|klasse|spitze|super|toll)",
      "=(das war|das ist) (wirklich|echt|sehr|super|äußerst|) (hilfreich|nett|lieb|eine große hilfe|eine riesige hilfe|genau die hilfe)",
      "=(eine|so eine) (große|riesige|riesen|enorme) hilfe",
      "=genau (das|die|der|den) * (habe|hab|hatte) ich (gesucht|gebraucht)",
      "=(weiß ich|ich weiß das) (sehr|wirklich|) zu schätzen",
      "=(tolle|super|klasse|großartige|sehr gute|wunderbare|prima|gute) (erklärung|antwort|zusammenfassung|hilfe|arbeit) (danke|vielen|das)"
    ],
    confirmation: [
      "=(das|so|dieser|diese|dieses) (passt|gefällt|ist|sieht|klingt|liest) (mir|uns|sich|jetzt|schon|wirklich|echt|genau|sehr|viel|richtig|absolut|so|) (mir|sehr|wirklich|viel|jetzt|genau|) (perfekt|super|gut so|genau richtig|spitze|klasse|toll|prima|ideal|wunderbar|hervorragend|großartig|besser|gut aus|super aus|gut an|ausgezeichnet|richtig gut|genau so|gut)",
      "=(gefällt|passt|taugt) (mir|uns) (sehr|gut|super|so|richtig|echt|wirklich|prima|besser)",
      "=(den|die|das|diesen|diese|dieses) (nehme|nehm|nehmen|behalte|behalten) (ich|wir)",
      "=(nehmen|machen|lassen) wir (so|das|den|die|diesen|es so)",
      "=(genau|exakt) (so|das|den ton|der ton|wie|richtig) (habe|hab|hatte|wollte|soll|meinte|war|ist|stelle|stellte|ich|das) (ich|es|das|mir|)",
      "=(so|das) (hatte|habe|hab) ich (mir das|es mir|mir es) vorgestellt",
      "=(ja|ah|ach|oh) (genau|perfekt|super|prima|exakt)",
      "=(jetzt|ah|ach so|aha|nun|okay) (jetzt|ist|wird|macht|ergibt|leuchtet) (es|mir|das|) (alles|mir|das|) (klar|einiges klar|sinn|ein|verstehe ich)",
      "=(tolle|super|klasse|geniale|hervorragende|großartige) (idee|wahl|lösung)",
      "=(besser|perfekt|super|schöner|prima) (gehts|geht es) (nicht|nimmer|kaum)",
      "=(bin|ich bin) (sehr|damit|wirklich|voll|absolut|) (sehr|) zufrieden",
      "=(einverstanden|abgemacht|passt so|passt perfekt|so machen wirs|so nehmen wirs|top so)"
    ],
    success: [
      "=(es|das|jetzt|nun|alles|er|sie|der *|die *|das *) (funktioniert|klappt|geht|läuft|druckt|startet|lädt|kompiliert|verbindet|spielt) (es|jetzt|nun|endlich|wieder|alles|wunderbar|einwandfrei|tadellos|problemlos|fehlerfrei|durch|super|perfekt|prima)",
      "=(jetzt|nun|endlich) (läuft|funktioniert|geht|klappt|druckt|startet) (es|das|alles|er|sie|der|die|das|wieder)",
      "=(es|das|der|die) * (ist|sind) (jetzt|nun|endlich|wieder|) (gelöst|behoben|erledigt|repariert|verschwunden|durchgelaufen)",
      "=(das problem|der fehler|die meldung|die warnung|das|es) (ist|hat sich|wurde|wäre) (damit|jetzt|nun|endlich|somit|) (gelöst|behoben|weg|erledigt|verschwunden)",
      "=(hat|das hat|es hat|hat jetzt|das hat jetzt|hat sofort|das hat sofort|hat endlich) (funktioniert|geklappt|geholfen|gefruchtet)",
      "=(ich|wir) (habe|hab|haben) (es|das|das problem|den fehler) (jetzt|endlich|nun|damit|) (hinbekommen|geschafft|gelöst|behoben|hingekriegt|repariert|gefunden)",
      "=(geschafft|gelöst|hurra|juhu|endlich|heureka) (es|das|jetzt|danke|die|der|läuft|funktioniert)",
      "=(alle tests|die tests|der build|der test) (sind|ist|laufen|läuft) (jetzt|nun|wieder|alle|) (grün|durch|erfolgreich)",
      "=(keine fehler|kein fehler|keine fehlermeldung|keine probleme) (mehr|seitdem)",
      "=daran (lag|hat) es (gelegen|tatsächlich)"
    ],
    negation: ["weder", "kaum", "nirgends", "keinem", "keiner", "keins", "ob", "bis", "hoffentlich", "falls"],
    restatement: [
      "=ich (wollte|meinte|brauchte|sagte|schrieb|fragte|suchte|bestellte)",
      "=ich (hatte|habe|hab) (doch|aber|eigentlich|nur|ja|) * (gesagt|gefragt|gewollt|geschrieben|bestellt|gemeint|gebeten|verlangt|gewünscht)",
      "=(meine|die) frage (war|ist|bezog|lautete|betraf|galt)",
      "=(es|mir) (ging|geht) (mir|es) (um|nur um|doch um)",
      "=(ich|wir) (rede|redete|spreche|sprach) von"
    ]
  }
}
