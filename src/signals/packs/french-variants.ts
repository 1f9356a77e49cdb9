import type { LanguagePack } from "../LanguagePack.ts"

const adverb = "(vraiment|très|tellement|complètement|totalement|absolument|franchement|carrément|juste|trop|plus que|)"
const awful =
  "(inutile|nul|nulle|ridicule|lamentable|scandaleux|inadmissible|inacceptable|insupportable|pénible|agaçant|énervant|frustrant|exaspérant|horrible|honteux|pitoyable|catastrophique|désespérant|absurde|n'importe quoi|une honte|une blague|une catastrophe|un scandale|une perte de temps|de la merde|du grand n'importe quoi|pas sérieux|à s'arracher les cheveux)"
const someone =
  "(humain|être humain|conseiller|conseillère|responsable|supérieur|supérieure|collègue|technicien|employé|opérateur|opératrice|vrai conseiller|vraie personne|personne réelle|personne|vrai humain|agent humain|quelqu'un|interlocuteur|chef|gestionnaire)"

/** French: the same notions in more of the words that there are for them. */
export const frenchVariants: LanguagePack = {
  language: "fr",
  patterns: {
    correction: [
      "=(ce n'est|c'est|c'était|ce sont|n'est) pas (du tout|vraiment|exactement|) (ça|cela|celui|celle|ce dont|de ça|la bonne|le bon|les bons|les bonnes) (que|qu'il|dont|je|)",
      "=(tu t'es|vous vous êtes|tu te|vous vous) (trompé|trompée|trompés|mélangé|planté|trompes|trompez)",
      "=(tu as|vous avez|t'as) (confondu|oublié|inversé|mélangé|ignoré|mal lu|mal compris|sauté|omis|pris|utilisé|choisi) (la|le|les|ma|mon|mes|une|un|que|l'|avec|deux)",
      "=(c'est|voilà|vous m'avez donné|tu m'as donné|tu as pris|vous avez pris) (le|la|les) (mauvais|mauvaise|mauvaises)",
      "=(c'est|cela est|ceci est) (tout à fait|totalement|complètement|encore|toujours|malheureusement|) (faux|inexact|incorrect|erroné|l'inverse|le contraire)",
      "=(il y a|je vois) (une|plusieurs) (erreur|erreurs|faute) dans (ta|votre|tes|vos)",
      "=(tu es|vous êtes|es tu|êtes vous|t'es) (vraiment|bien|) (sûr|sûre|certain|certaine) (de toi|de vous|de ça|de cela)",
      "=(ça|cela|ce) ne (peut pas être|répond pas à|correspond pas à|correspond pas|répond pas)",
      "=j'ai (bien|clairement|explicitement|pourtant|précisément|expressément) (dit|demandé|écrit|précisé|indiqué)",
      "=(comme|tel que) je (l'ai|vous l'ai|te l'ai) (dit|déjà dit|expliqué|écrit|demandé)",
      "=(ma question|la question) (portait|concernait|n'était|était|n'est) (pas|sur|si|de|celle)",
      "=(je ne parle|je ne parlais|je parle|je ne demande|je ne demandais) pas (de|du|d'un|d'une|ça|cela)",
      "=(tu n'as|vous n'avez) pas (répondu|compris|lu|suivi|tenu compte|respecté)",
      "=(cette|ce|cet) (fonction|option|livre|page|lien|bouton|article|loi|commande|méthode) n'existe pas",
      "=(encore|toujours) (faux|incorrect|pas bon|pas ça|pas le bon|pas la bonne)",
      "=(pas|non pas) (celui|celle|ceux|ce) (là|ci|que je)"
    ],
    rephrase: [
      "=je (pose|repose|formule|reformule|tourne|dis|redis|explique|réexplique|vais poser|vais le dire|vais essayer|recommence) (ma question|la question|ça|cela|le|la|) (autrement|différemment|d'une autre façon|d'une autre manière|plus clairement|plus simplement|encore une fois)",
      "=(laisse|laissez) moi (le|la|te|vous|) (dire|reformuler|poser|expliquer|réexpliquer|essayer|préciser|redire|être) (ça|cela|la question|ma question|) (autrement|différemment|mieux|plus clair|plus claire|plus précis|plus précise|)",
      "=(dit|formulé|posé|demandé) (autrement|différemment|plus simplement)",
      "=(pour reformuler|pour le dire autrement|pour faire simple|plus clairement dit)",
      "=ce que je (cherche|veux|voudrais|voulais|demande) (à|) (savoir|demander|dire|obtenir) (c'est|c'était|est)",
      "=(je me suis|j'ai été|je n'ai pas été|ma question n'était pas) (mal|peu|pas|) (exprimé|exprimée|clair|claire|assez clair|assez claire|précis|précise)"
    ],
    clarification: [
      "=je (n'ai|n'y|ne) (toujours|vraiment|absolument|) (pas|rien|comprends|saisis) (tout|bien|vraiment|) (compris|saisi|suivi|rien|goutte)",
      "=(je comprends|j'y comprends|je pige|je capte|je saisis) (toujours|vraiment|) (rien|que dalle|pas)",
      "=(c'est|ça reste|cela reste|tout ça c'est) (du|encore|trop|un peu trop|toujours) (chinois|charabia|flou|obscur|compliqué|technique|abstrait|confus)",
      "=(c'est|ce n'est|ça n'est) (pas|pas du tout|pas très|pas assez|toujours pas) clair",
      "=(qu'est ce que|que) (ça|cela|tu|vous) (veut dire|signifie|entends par|entendez par|veux dire|voulez dire)",
      "=(ça|cela|ca) (veut dire|signifie) quoi",
      "=(tu peux|vous pouvez|peux tu|pouvez vous|pourriez vous|pourrais tu|tu pourrais|vous pourriez) (me|m'|m'expliquer|me l'expliquer|l'expliquer|expliquer|préciser|détailler|éclaircir|développer|être) (ça|cela|ce point|) (expliquer|plus|simplement|autrement|clairement|clair|davantage|en français|un peu|mieux|avec|de façon|d'une façon|à nouveau|encore)",
      "=(en|avec) (des mots|termes|mots) (simples|plus simples|clairs)",
      "=(je suis|me voilà|tu m'as|vous m'avez|j'suis) (complètement|un peu|totalement|carrément|) (perdu|perdue|largué|larguée|paumé|paumée|embrouillé|embrouillée)",
      "=(je ne vois|je vois) pas (ce que|où|bien|du tout|de quoi|le rapport|comment)",
      "=(je ne|j'ai du mal à|j'ai du mal a|je n'arrive pas à) (te suis|vous suis|suis|suivre|comprendre|te suivre|vous suivre|saisir) (pas|ce|)",
      "=(comment ça|c'est à dire|hein quoi|pardon quoi)",
      "=ça me dépasse",
      "=(hein|gné)",
      "=(je n'arrive|j'arrive) pas à (comprendre|suivre|saisir|voir)",
      "=ça ne me (dit|parle) (rien|pas)"
    ],
    humanAgent: [
      `=(parler|discuter|échanger|causer|avoir affaire|m'adresser|voir ça|traiter|communiquer) (directement|enfin|plutôt|) (à|avec) (un|une|votre|ton|un de vos|quelqu'un|l'un de vos|des) (vrai|vraie|autre|véritable|) ${someone}`,
      "=(parler|discuter|échanger|voir ça|causer) (à|avec|directement à|directement avec) (quelqu'un|un humain|une personne|des humains|une vraie personne)",
      `=(passez|passe|transférez|transfère|mettez|mets|dirigez|redirigez|connectez) moi (donc|vite|directement|) (à|vers|en relation avec|en contact avec|en ligne avec|sur|) (un|une|votre|ton|quelqu'un|un de vos|le|la) (vrai|vraie|autre|) ${someone}`,
      `=(je veux|je voudrais|j'aimerais|je souhaite|je demande|j'exige|il me faut|j'ai besoin d'|donnez moi|donne moi) (parler à|avoir|voir|joindre|appeler|) (un|une|votre|ton|le|la) (vrai|vraie|autre|) ${someone}`,
      "=(y a t il|est ce qu'il y a|il y a|y'a t il|y aurait il|il n'y a pas) (quelqu'un|un humain|une personne|une vraie personne|un conseiller|un être humain) (que je peux|que je puisse|à qui parler|à qui je|au bout|derrière|de réel|de disponible|chez vous)",
      "=(est ce que|) (quelqu'un|un humain|un conseiller|un responsable|une personne) (peut|pourrait|peut il|pourrait il) (me|m'|nous|de votre) (rappeler|appeler|contacter|rappelle|téléphoner|aider de|équipe)",
      "=(rappelez|appelez|rappelle|contactez) moi (svp|s'il|au|vite|par|)",
      "=(au|par) téléphone (avec|à) (quelqu'un|un|une)",
      "=(quelqu'un|un humain|une personne) (au|par) téléphone",
      "=(avoir|joindre) (quelqu'un|un humain|une vraie personne|un conseiller) (au|par|en|de)",
      "=(pas|plus|marre de parler) (à|avec) (un|une|ce) (robot|machine|bot|ia|ordinateur)"
    ],
    support: [
      "=(contacter|joindre|appeler|avoir|téléphoner à) (le|votre|un|au) (service client|service clients|support|service après vente|sav|service technique|assistance|standard)",
      "=(numéro|téléphone|mail|adresse) (du|de votre|pour le) (service client|service clients|support|sav|service technique|assistance)",
      "=(déposer|faire|porter|formuler|adresser) (une|) (réclamation|plainte)"
    ],
    quit: [
      "=(je vais|je préfère|autant|j'irai|je ferai|je vais plutôt|je vais donc) (me|le|la|les|l'|tout|) (débrouiller|faire|chercher|voir|demander|régler|résoudre|aller|trouver|écrire|calculer|appeler|passer) (ça|cela|) (tout seul|toute seule|seul|seule|moi même|autrement|ailleurs|à la main|quelqu'un d'autre|sans vous|sans toi|par un autre|à un concurrent)",
      "=(tant pis) (alors|je|merci|va|tout)",
      "=(ça|cela|on|nous) (ne mène|mène|ne nous mène|n'avance|n'avançons|tourne) (à rien|nulle part|pas|plus)",
      "=(ça|cela|c'est) (ne sert|sert|n'en vaut) (à rien|plus à rien|pas la peine|strictement à rien)",
      "=(c'est|cela n'en vaut|ça ne vaut) (pas|plus|) (la peine|peine perdue|sans espoir)",
      "=(j'arrête|je m'arrête|on arrête|arrêtons|restons en|je m'en vais|je laisse|je renonce|je lâche|je jette) (là|tout|ici|l'affaire|tomber|l'éponge|les frais)",
      "=(je résilie|je me désabonne|je ferme mon compte|je supprime mon compte|je passe à la concurrence|je vais à la concurrence)",
      "=(j'en ai|j'en ai vraiment) (fini|terminé) (avec|ici)"
    ],
    profanity: [
      "=(espèce|bande|tas) (de|d') (idiot|crétin|débile|incapables|incapable|nuls|robot|machine|merde|abruti|imbécile)",
      "=(putain|foutu|foutue|stupide|maudit|sale) (de|) (bot|robot|machine|ia|application|appli|programme|logiciel|site)",
      "=(tu es|t'es|vous êtes|tu es vraiment|t'es vraiment) (con|conne|débile|idiot|idiote|stupide|abruti|bête|crétin|sourd|aveugle|nul|nulle)",
      "=(va te faire|allez vous faire|ta gueule|fermez la|va au diable|allez au diable)"
    ],
    complaint: [
      `=(c'est|c'était|vous êtes|tu es|votre service est|votre application est|votre site est|ce service est|ce bot est|cette application est|ce site est|ça devient|cela devient|vos réponses sont|tes réponses sont|tout ça est) ${adverb} ${awful}`,
      "=(j'en ai|j'en ai vraiment|j'en ai plus que) (marre|assez|ras le bol|ma claque|plein le dos|par dessus la tête)",
      "=(y en a|ras le bol|ça commence à|plein le dos|marre) (marre|de|bien faire|suffire|suffit)",
      "=(je suis|je commence à être|j'suis) (vraiment|très|tellement|complètement|de plus en plus|franchement|) (énervé|énervée|agacé|agacée|frustré|frustrée|excédé|excédée|déçu|déçue|furieux|furieuse|fatigué de|fatiguée de|à bout|lassé|mécontent|mécontente|dégoûté|dégoûtée|en colère)",
      "=(ça|cela|tu|vous|ce) m'(énerve|énerves|énervez|agace|agaces|agacez|exaspère|exaspérez)",
      "=(ça|cela|tu|vous) me (gonfle|saoule|soûle|fatigue|désespère|tue|rend fou|rend folle|rends fou|rends folle|rendez fou|rendez folle|rend dingue)",
      "=(ça|ca|cela|ça ne|ca ne|cela ne|rien ne|rien de tout ça ne) (marche|fonctionne|sert|aide|m'aide) (toujours|strictement|absolument|vraiment|) (pas|plus|rien|à rien)",
      "=(ça|ca|cela|l'application|le site|l'appli|tout) (plante|bugue|bug|rame|échoue|recommence) (encore|toujours|à chaque fois|sans arrêt|tout le temps|constamment|sans cesse)",
      "=(c'est|ça fait|cela fait|voilà) (la|déjà|au moins|) (deuxième|troisième|quatrième|cinquième|dixième|énième|ième|trois|quatre|cinq|dix|mille|cent) fois (que|aujourd'hui|déjà|qu'on|)",
      "=(ça fait|cela fait|voilà|j'attends|j'essaie|je patiente|je cherche) (depuis|déjà|bientôt|plus de|) (depuis|déjà|plus de|) (des heures|une heure|deux heures|trois heures|des jours|des semaines|une semaine|toute la journée|toute la matinée|deux jours|trois jours|une éternité)",
      "=(encore|toujours) (la|le|les) (même|mêmes) (erreur|problème|réponse|réponses|erreurs|chose|excuses|message|résultat)",
      "=(quelle|quel) (honte|perte de temps|blague|catastrophe|nullité|cirque|galère|plaie|service)",
      "=(merci pour rien|aucune aide|tu ne sers à rien|vous ne servez à rien|tu ne m'aides pas|vous ne m'aidez pas|vous ne m'aidez en rien)",
      "=(vous vous|tu te|tu|vous) (moquez|moques|fichez|fiches|foutez|fous|plaisantez|plaisantes|rigolez|rigoles) (de moi|de nous|du monde|là|ou quoi|)",
      "=(tu n'écoutes|vous n'écoutez|tu ne comprends|vous ne comprenez|tu ne lis|vous ne lisez) (pas|rien|jamais|vraiment)",
      "=(c'est|ce n'est) pas (possible|croyable|normal|vrai) (encore|ça|à la fin|quand même|d'être)",
      "=(je perds|vous me faites perdre|tu me fais perdre|on perd) (mon|notre|patience|tout mon|) (temps|patience)",
      "=(pfff|pff|grr|bon sang|punaise|non mais sérieusement|non mais franchement|nom de dieu|c'est pas vrai|je rêve|je n'en peux plus|j'en peux plus)",
      "=(je déteste|je hais) (ça|cela|ce|cette|votre)"
    ],
    gratitude: [
      "=(merci|un grand merci|mille mercis|grand merci) (infiniment|beaucoup|énormément|mille fois|du fond|de tout|vraiment|pour tout|pour votre|pour ton|pour l'aide|pour cette|pour ces|pour la|pour ta|à toi|à vous|d'avoir|tellement|encore)",
      "=(vous m'avez|tu m'as|ça m'a|cela m'a|vous me|tu me|tu m'|vous m') (bien|vraiment|énormément|beaucoup|grandement|sacrément|) (aidé|aidée|sauvé|sauvée|sauves|sauvez|rendu|ôtez|enlèves|enlevez|tirée|tiré|aide|éclairé|éclairée|dépanné|dépannée|facilité) (la vie|la journée|d'affaire|une épine|un grand service|beaucoup|énormément|bien|)",
      "=(ça|cela|ce) (m'aide|m'a aidé|m'aide vraiment|m'est) (beaucoup|énormément|vraiment|bien|très|d'un grand|)",
      "=(c'est|c'était|voilà qui est) (vraiment|très|super|extrêmement|) (utile|gentil|sympa|aimable|clair merci|précieux|d'une grande aide)",
      "=(tu es|vous êtes|t'es) (vraiment|trop|super|) (un ange|un génie|génial|géniale|formidable|au top|le meilleur|la meilleure|adorable|un as|un amour|une perle|une aide précieuse|mon sauveur|efficace)",
      "=(je suis|je vous suis|je te suis) (très|vraiment|infiniment|extrêmement|) (reconnaissant|reconnaissante)",
      "=(exactement|précisément|pile|tout à fait) (ce|l'|le|la) (dont|que|qu'il|info|information|explication) (j'avais|je|me|il|que) (besoin|cherchais|voulais|fallait|cherche|avais|je)"
    ],
    confirmation: [
      "=(c'est|c'était|voilà|ça c'est) (exactement|vraiment|tout à fait|juste|bien|pile|beaucoup|nettement|déjà|absolument|très|) (parfait|ça|cela|ce que je voulais|ce qu'il me fallait|ce que j'avais en tête|mieux|super|génial|nickel|impeccable|excellent|idéal|bon pour moi|top|très bien|magnifique|comme ça|le ton|ce que j'imaginais)",
      "=(ça|cela|celui ci|celle ci|il|elle) (me|nous) (plaît|plait|convient|va) (beaucoup|bien|parfaitement|très|vraiment|énormément|tout à fait|)",
      "=(j'aime|j'adore|je préfère) (bien|beaucoup|vraiment|) (celui ci|celle ci|cette version|ce titre|l'idée|ta version|votre version|celui là|celle là)",
      "=(je|on|nous) (prends|garde|gardons|choisis|prend|valide|part|retiens|vais prendre|va garder) (celui ci|celui là|celle ci|celle là|ça|cette version|ce titre|cette option|la première|la deuxième|le premier|le deuxième|sur ça)",
      "=(parfait|nickel|impeccable|génial|excellent|super|top|formidable) (merci|c'est|comme|on|ça|je|pour|exactement|voilà)",
      "=(très bonne|quelle bonne|quelle|super|excellente|vraiment bonne) (idée|proposition|suggestion)",
      "=(ah|ok|d'accord|maintenant|oh) (d'accord|je comprends|je vois|c'est clair|tout s'éclaire|c'est plus clair|j'ai compris|je comprends mieux|voilà)",
      "=(exactement|tout à fait|précisément) (ça|cela|comme|ce que|le ton|ce à quoi|dans)",
      "=(rien|plus rien) à (redire|ajouter|changer|dire)"
    ],
    success: [
      "=(ça|ca|cela|tout|le *|la *|l'*|il|elle) (marche|fonctionne|tourne|passe|imprime|démarre|compile|s'affiche|se lance|se connecte) (maintenant|enfin|à nouveau|de nouveau|parfaitement|impeccablement|très bien|nickel|sans erreur|sans problème|à merveille|comme sur|du premier coup|désormais|super)",
      "=(ça|ca|cela|c'est|tout) (a|est|y est|a bien|a enfin|est enfin|a parfaitement) (marché|fonctionné|passé|réglé|résolu|réparé|bon maintenant|corrigé|rentré dans l'ordre|opérationnel|débloqué)",
      "=(ça|ca) y est (ça|c'est|l'|le|la|tout|j'ai|merci|enfin)",
      "=(le problème|le souci|l'erreur|le bug|la panne|le bogue) (est|a) (enfin|maintenant|bien|désormais|) (résolu|résolue|réglé|réglée|corrigé|corrigée|disparu|été résolu|été corrigé)",
      "=(problème|souci|erreur|bug) (résolu|résolue|réglé|réglée|corrigé|corrigée)",
      "=(j'ai|on a|nous avons|je viens de) (enfin|réussi|finalement|pu|) (réussi|résolu|réglé|corrigé|trouvé|à faire|à le|à l'|pu) (le|à|la|l'|faire|maintenant|merci|)",
      "=(tous les tests|les tests|tout|le build) (passent|est|sont|passe) (au vert|maintenant|vert|verts|bon|ok|rentré)",
      "=plus (aucune|d'|de|aucun) (erreur|erreurs|message|problème|souci)"
    ],
    negation: ["ni", "guère", "aucunement", "nullement", "afin que", "jusqu'à ce que", "espère"],
    restatement: [
      "=(je|j') (voulais|demandais|parlais|avais|disais|cherchais|pensais|cherche|demande)",
      "=(j'ai|j'avais|je t'ai|je vous ai|je t'avais|je vous avais) (pourtant|bien|seulement|) (dit|demandé|écrit|commandé|précisé|parlé)",
      "=(ma|la) question (portait|concernait|était|est|parlait)",
      "=(il|ce) (s'agit|s'agissait) (de|du|bien)"
    ]
  }
}
