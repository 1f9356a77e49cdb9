import type { LanguagePack } from "../LanguagePack.ts"

const adverb = "(muy|realmente|totalmente|completamente|absolutamente|tan|de verdad|francamente|bastante|simplemente|)"
const awful =
  "(inútil|ridículo|ridícula|horrible|terrible|pésimo|pésima|malísimo|malísima|inaceptable|frustrante|indignante|desesperante|insoportable|vergonzoso|vergonzosa|lamentable|absurdo|absurda|agotador|molesto|irritante|penoso|patético|un desastre|una vergüenza|una broma|una burla|una tomadura de pelo|una pérdida de tiempo|una estafa|una porquería|una basura|una mierda|basura|para volverse loco|de locos|el colmo)"
const someone =
  "(humano|humana|ser humano|persona|persona real|persona de verdad|persona de carne y hueso|agente|agente humano|asesor|asesora|supervisor|supervisora|encargado|encargada|responsable|jefe|jefa|superior|compañero|compañera|representante|operador|operadora|empleado|empleada|técnico|gerente|alguien)"

/** Spanish: the same notions in more of the words that there are for them. */
export const spanishVariants: LanguagePack = {
  language: "es",
  patterns: {
    correction: [
      "=(eso|esto|ese|esa|este|esta|así) no (es|era|fue) (lo|el|la|los|las) (que|correcto|correcta|indicado)",
      "=(te|se|os) (has|ha|habéis|han) (equivocado|confundido|liado|olvidado|saltado|dejado|comido|inventado)",
      "=(te|se) (equivocas|equivoca|confundes|confunde|confundiste|confundió|equivocó|olvidaste|olvidó)",
      "=(has|ha|habéis|han) (confundido|mezclado|olvidado|invertido|ignorado|entendido mal|malinterpretado|leído mal|pasado por alto|cambiado|usado|puesto|elegido|omitido) (el|la|los|las|mi|mis|lo|una|un|que|dos)",
      "=(me has|me ha|me diste|me dio|has puesto|has usado) (dado|) (el|la|lo|los|las) * (equivocado|equivocada|equivocados|incorrecto|incorrecta|que no es)",
      "=lo has (hecho|calculado|traducido|puesto|escrito|entendido) (mal|al revés|con|sin|en|todo)",
      "=(eso|esto|la respuesta|tu respuesta|su respuesta|ese dato|esa fecha|ese número) (es|está) (totalmente|completamente|muy|) (mal|incorrecto|incorrecta|equivocado|equivocada|falso|falsa|erróneo|errónea)",
      "=(eso|esto|la respuesta|tu respuesta|su respuesta|ese dato|esa fecha|ese número) no (es|está) (del todo|) (cierto|correcta|correcto|bien)",
      "=(estás|está) (seguro|segura|completamente seguro) (de que|de eso|de ello|de esto)",
      "=(eso|esto) no (puede ser|responde|contesta|cuadra|tiene que ver|corresponde) (a|con|mi|correcto|verdad|así|cierto|)",
      "=(no|nunca) (he|te he|le he|) (pedí|pedido|dije|dicho|preguntado|pregunté|hablaba|hablo|hablé) (de eso|eso|por eso|de ese|de esa|que)",
      "=(claramente|específicamente|expresamente|explícitamente|ya) (te|le|) (pedí|dije|escribí|pregunté|especifiqué|indiqué|expliqué)",
      "=como (ya|) (te|le|) (dije|he dicho|comenté|expliqué|pedí|mencioné)",
      "=(no|nada) (has|ha|habéis) (respondido|contestado|leído|entendido|hecho caso|tenido en cuenta) (a|mi|lo|bien|nada|)",
      "=(cometiste|has cometido|ha cometido) (un|varios|unos) (error|errores|fallo|fallos)",
      "=(al revés|lo contrario|justo lo contrario) (de lo que|)",
      "=(esa|ese|ese) (función|opción|libro|página|enlace|botón|artículo|ley|comando|método) no existe",
      "=(sigue|sigues|siguen) (estando|) (mal|equivocado|sin ser|poniendo|dando)",
      "=(ese|esa|eso|este|esta) no (sino|el otro|la otra)"
    ],
    rephrase: [
      "=(te|se) lo (digo|pregunto|explico|repito|planteo|pongo|cuento) (de otro|de otra|con otras|otra|más|mejor) (modo|manera|forma|palabras|vez|claro|simple)",
      "=(lo|la) (digo|pregunto|explico|repito|planteo|reformulo|formulo|intento) (de otro modo|de otra manera|de otra forma|con otras palabras|otra vez|de nuevo|mejor)",
      "=(déjame|déjeme|permíteme|permítame|voy a|deja que|vuelvo a|intento|trato de) (decirlo|explicarlo|preguntarlo|plantearlo|reformularlo|reformular|preguntar|formularlo|lo diga|lo explique|intentarlo|aclararlo|ser) (de otro|de otra|con otras|otra|de nuevo|más|mejor|la|) (modo|manera|forma|palabras|vez|claro|clara|pregunta|preciso|)",
      "=(dicho|preguntado|explicado) de otro modo",
      "=(lo que|mi pregunta|lo que realmente) (quiero|quería|pregunto|preguntaba|necesito|intento|en realidad) (saber|preguntar|decir|es|era) (es|era|si|)",
      "=(quizás|quizá|tal vez|creo que) no me (expliqué|he explicado|expresé) (bien|)",
      "=no me (expliqué|he explicado|expresé|estoy explicando) bien"
    ],
    clarification: [
      "=(no|sigo sin|aún no|todavía no|ya no) (lo|te|le|os|me|) (entiendo|entender|entendí|comprendo|comprender|pillo|capto|sigo|he entendido|entero|queda claro|ha quedado claro|aclaro) (nada|bien|muy bien|del todo|eso|esto|lo que|ni|)",
      "=(me he|me|estoy|ando) (perdido|perdida|pierdo|liado|liada|hecho un lío|hecha un lío|confundido|confundida|quedado igual|perdí)",
      "=(qué|que|a qué|a que) (quieres decir|quiere decir|significa|te refieres|se refiere|es eso de|es exactamente|significan|quisiste decir) (con|eso|esto|exactamente|concretamente|)",
      "=(me|nos) lo (puedes|puede|podrías|podría|pueden) (aclarar|explicar|repetir|decir|detallar) (otra vez|mejor|con|más|de|en|)",
      "=(puedes|puede|podrías|podría|podrían) (por favor|) (aclararlo|explicarlo|explicármelo|aclarármelo|repetirlo|explicarme|aclararme|ser|decirlo|explicarte|explicarse) (eso|esto|) (con|mejor|otra|de|más|en|paso|) (palabras|sencillo|vez|otra|claro|clara|simple|fácil|cristiano|ejemplo|forma|manera|)",
      "=(en|con) (palabras|términos) (sencillas|sencillos|simples|más simples|más sencillas|fáciles|normales)",
      "=(en cristiano|para tontos|para dummies|para principiantes|como si tuviera|como a un niño) (por favor|cinco|)",
      "=(me|eso me|esto me) (suena a|parece) (chino|griego)",
      "=(está|es|suena|resulta|eso es|esto es) (muy|demasiado|todo muy|un poco|bastante) (confuso|complicado|vago|técnico|enrevesado|abstracto|lioso|poco claro)",
      "=no (me entero|me aclaro|caigo|tengo ni idea de qué|tengo idea de qué|sé de qué|sé a qué|veo qué|veo cómo)",
      "=(qué|que) (es|significa) (eso|esto)",
      "=(eh|cómo dices|cómo dice|perdón cómo|qué dices)",
      "=no (logro|consigo|alcanzo a|acabo de|termino de) (entender|comprender|entenderlo|ver|pillarlo|seguir)",
      "=(no me dice|no me aclara|eso no me dice) nada"
    ],
    humanAgent: [
      `=(hablar|chatear|comunicarme|tratar|tratarlo|conversar|contactar|discutirlo) (directamente|mejor|por fin|por teléfono|) con (un|una|algún|alguna|el|la|su|tu|otro|otra|) (verdadero|verdadera|) ${someone}`,
      `=(pásame|páseme|pásenme|comunícame|comuníqueme|conéctame|conécteme|transfiéreme|transfiérame|ponme|póngame|derívame|deríveme) (ya|por favor|mejor|directamente|) (con|a) (un|una|el|la|su|tu|otro|otra|) ${someone}`,
      `=(quiero|necesito|exijo|prefiero|deseo|quisiera|me gustaría|dame|deme) (hablar con|ver a|que me atienda|que me pasen con|que me llame|a|) (un|una|su|tu|al|algún|otra|otro) ${someone}`,
      `=(me|nos) (pueden|puede|puedes|podrían|podría|podrías) (pasar|comunicar|poner|conectar|transferir|derivar) con (un|una|algún|alguna|su|el|la|) ${someone}`,
      "=(que|puede|podría|pueden|necesito que|quiero que) (me|nos|) (llame|llamen|contacte|atienda|atiendan|atenderme|llamarme|contactarme) (alguien|una persona|un humano|un agente|un asesor|por teléfono|un responsable|de verdad)",
      "=(hay|habrá|tienen|existe) (alguien|alguna persona|algún humano|un humano|una persona|algún agente|alguna persona real) (ahí|con quien|al otro lado|de su equipo|de verdad|real|disponible|detrás|que me pueda)",
      "=(llámeme|llámenme|llámame) (por favor|al|ya|cuanto)",
      "=(alguien|una persona|un ser humano) (de carne y hueso|de verdad|real|competente|responsable|que sepa|con autoridad)",
      "=no (quiero|pienso|voy a) (seguir hablando|hablar|seguir|tratar) con (un|una|este|esta|más) (robot|bot|máquina|robots|ia)"
    ],
    support: [
      "=(contactar|llamar|escribir|hablar|comunicarme|contacto) (con|a|al|) (el|su|) (servicio de atención|servicio al cliente|atención al cliente|soporte|servicio técnico|servicio de soporte)",
      "=(teléfono|número|correo) (de|del) (atención al cliente|servicio al cliente|soporte|servicio técnico|servicio de)",
      "=(poner|presentar|interponer|hacer|tramitar) una (reclamación|queja|reclamacion|denuncia)",
      "=(hoja|libro) de reclamaciones"
    ],
    quit: [
      "=(ya|mejor|pues|entonces|prefiero|voy a) (lo|me lo|hacerlo|buscarlo|buscar|arreglarlo|lo voy a|arreglármelas|me las) (hago|busco|arreglo|resuelvo|hacer|apaño|yo|otra|en otro|por|) (yo|yo mismo|yo misma|por mi cuenta|a mano|solo|sola|en otra parte|en otro sitio|mismo|misma|sin ti|sin usted)",
      "=(da igual|déjalo|déjelo|olvídalo|olvídelo|dejémoslo) (ya|yo|gracias|mejor|estar|entonces|me|lo hago)",
      "=(me rindo|yo lo dejo|aquí lo dejo|abandono ya|yo desisto|tiro la toalla|paso de esto|paso de ti)",
      "=(esto|así|eso|con esto) no (lleva|va|vamos|conduce|sirve|tiene) (a ninguna parte|a ningún lado|a ningún sitio|a nada|para nada|ningún sentido seguir|remedio)",
      "=(no|para qué|de qué) (vale|merece|sirve|me molesto|sirve seguir|sigo|insistir|tiene caso) (la pena|seguir|intentándolo|preguntar|ya|insistir|más|)",
      "=(me voy|me cambio|me paso) (a otra compañía|a la competencia|de compañía)",
      "=(me doy de baja|voy a darme de baja|cierro mi cuenta|voy a cerrar mi cuenta)",
      "=(ya|he) (tuve|tenido|tengo) (suficiente|bastante)",
      "=(se acabó|ya está bien|hasta nunca|adiós para siempre|basta ya|ya basta)"
    ],
    profanity: [
      "=(eres|es|sois) (un|una|tan|muy|) (idiota|imbécil|inútil|estúpido|estúpida|tonto|tonta|incompetente|burro|basura|mierda)",
      "=(maldito|maldita|puto|puta|estúpido|estúpida|jodido|jodida) (bot|robot|máquina|ia|aplicación|programa|cacharro|app)",
      "=(vete a la|vaya a la|que te den|cállate|váyase a la|anda a la)",
      "=(pedazo|panda|hatajo) de (idiota|inútil|inútiles|imbéciles|basura|chatarra|mierda|incompetentes)"
    ],
    complaint: [
      `=(esto|eso|es|son|sois|eres|su servicio|vuestro servicio|el servicio|la aplicación|su web|este bot|este servicio|tu respuesta|sus respuestas|tus respuestas) (es|son|ya es|me parece|está siendo|) ${adverb} ${awful}`,
      "=(estoy|estamos|me tienes|me tienen|me tenéis|ya estoy|ando) (muy|realmente|completamente|ya|de verdad|) (harto|harta|hartos|cansado de|cansada de|frustrado|frustrada|enfadado|enfadada|enojado|enojada|molesto|molesta|indignado|indignada|decepcionado|decepcionada|desesperado|desesperada|hasta las narices|hasta el gorro|hasta la coronilla|hasta los huevos|furioso|furiosa)",
      "=(esto|eso|me|me está|me estás|esto me|me están) (pone|saca|vuelve|desespera|volviendo|poniendo|sacando|tiene) (de los nervios|de quicio|loco|loca|nervioso|nerviosa|de mis casillas|negro|negra|harto|harta)",
      "=(llevo|llevamos) (ya|más de|casi|) (más de|) (horas|una hora|dos horas|tres horas|media hora|días|semanas|meses|toda la mañana|todo el día|toda la tarde|un buen rato|un siglo|una eternidad|dos días|tres días) (con esto|con lo mismo|esperando|intentando|intentándolo|así|sin solución|sin respuesta|dando vueltas)",
      "=(qué|que|vaya|menuda|menudo) (vergüenza|desastre|pérdida de tiempo|broma|pesadilla|estafa|porquería|rollo|asco|basura|fastidio|tomadura de pelo|chapuza|desesperación|servicio)",
      "=(por|es) (la|) (tercera|cuarta|quinta|décima|enésima|segunda) vez (que|ya|hoy|en|)",
      "=(otra vez|siempre|de nuevo|una y otra vez) (lo mismo|el mismo error|la misma respuesta|el mismo problema|la misma cosa|la misma historia|el mismo mensaje|igual)",
      "=(nada|ninguna|ninguno) (de esto|de eso|de lo que|) (funciona|sirve|me ayuda|ha funcionado|ha servido|dices|resuelve)",
      "=(esto|eso|la app|la web|la página|la aplicación|el programa) (sigue|siempre|todavía|aún|) (sin|no|falla|se cuelga|se cae) (funcionar|funciona|sirve|siempre|otra vez|cada vez|funcionando|va|constantemente|continuamente)",
      "=no (me estás|me está|me ayudas|me ayuda|ayudas|ayuda|sirves|sirve|me sirves|me sirve|escuchas|escucha|entiendes|entiende) (ayudando|escuchando|para nada|en nada|nada|de nada|absolutamente nada|lo que te)",
      "=(cuántas|cuantas) veces (tengo|hay|te|le|se|más|debo)",
      "=(gracias por nada|vaya ayuda|menuda ayuda|poca ayuda|no sirve de nada|no sirve para nada|no vale para nada)",
      "=(me estás|me están|me está|estás|estáis) (tomando el pelo|vacilando|bromeando|de broma|de coña)",
      "=(es que|esto|no) (no puede|puede) ser (otra vez|posible|verdad|que siga|que todavía|en serio)",
      "=(peor|pésimo|pésima|mal|horrible) (servicio|atención|experiencia|asistente|bot|soporte|respuesta) (que|de|del|posible|al cliente|)",
      "=(pierdo|perdiendo|perder|acabando|agotando|perdí) (la|mi|el|) (paciencia|tiempo)",
      "=(por qué|cómo) (es|tiene que ser|puede ser) (todo|tan|siempre) (difícil|complicado|lento|malo|mal)",
      "=(uf|puf|grr|venga ya|por dios|madre mía|no me lo puedo creer|no puedo más|ya no puedo más|odio esto|esto es increíble|es increíble que)",
      "=(me estás|me está|me estáis|dejad de|deja de|deje de) (haciendo|hacer|hacerme|haciéndome) perder (el|mi) tiempo"
    ],
    gratitude: [
      "=(muchísimas|mil|infinitas|un millón de) gracias",
      "=(gracias|te lo agradezco|se lo agradezco|lo agradezco|te agradezco|le agradezco) (por|de|mucho|muchísimo|infinitamente|tu|su|la|el|un) (todo|tu|su|la|el|ayuda|verdad|corazón|explicarme|explicármelo|ayudarme|aclararme|aclarármelo|tiempo|montón|)",
      "=(me|nos) (has|ha|habéis|han) (ayudado|salvado|sacado|ahorrado|resuelto|solucionado|aclarado|alegrado|sido) (mucho|muchísimo|un montón|la vida|el día|de un|horas|todo|la duda|las dudas|de gran|)",
      "=(eso|esto|tu respuesta|la explicación) (me|nos) (ayuda|ayudó|ha ayudado|sirve|sirvió|ha servido|aclara|resuelve) (mucho|muchísimo|un montón|bastante|todo|la duda|de mucho|perfectamente)",
      "=(eres|es usted|sois) (un|una|el|la|lo|muy|) (genio|crack|ángel|sol|máquina de|mejor|amable|maravilla|gran ayuda|fenómeno|héroe|cielo)",
      "=(qué|muy|super|súper) (útil|amable|buena explicación|buena ayuda|gran ayuda|clara la explicación)",
      "=(justo|exactamente|precisamente) lo que (necesitaba|buscaba|me hacía falta|quería saber)",
      "=(de gran|ha sido de gran|una gran|de mucha) (ayuda|utilidad)"
    ],
    confirmation: [
      "=(me|nos) (gusta|encanta|parece|convence|vale|sirve|va|queda) (mucho|muchísimo|bien|perfecto|genial|estupendo|más así|este|esa|ese|esta|así|la idea|cómo|como|claro)",
      "=(nos|me) (quedamos|quedo|lo quedo|la quedo) con (ese|esa|este|esta|el|la|eso)",
      "=(está|queda|quedó|ha quedado|suena|se ve|así está|eso está|así queda) (muy|realmente|mucho|todo) (bien|perfecto|perfecta|genial|mejor|estupendo|fenomenal|de maravilla|clarísimo|bonito|claro|impecable)",
      "=(exactamente|justo|precisamente) (eso|así|lo que quería|lo que buscaba|lo que tenía en mente|lo que pedía|como lo quería|como lo imaginaba|el tono)",
      "=(perfecto|genial|estupendo|excelente|fantástico|fenomenal|maravilloso|ideal) (así|gracias|eso|me|queda|muchas|justo|lo|es|tal)",
      "=(qué buena|muy buena|excelente|qué gran) (idea|elección|propuesta|sugerencia)",
      "=(ah|ahora|vale|ya|claro|okay) (ya|sí|ahora|lo|vale|que) (entiendo|veo|lo entiendo|comprendo|lo veo|me queda|está claro|caigo|tiene sentido|lo pillo)",
      "=(estoy|quedo|quedé) (muy|) (contento|contenta|satisfecho|satisfecha|conforme) con",
      "=(mucho|muchísimo) mejor (así|ahora|gracias|que)"
    ],
    success: [
      "=(ya|ahora|por fin|al fin|ahora sí|ya sí) (me|sí|todo|) (funciona|funcionó|va bien|anda|arranca|compila|imprime|carga|conecta|marcha|ha funcionado|abre)",
      "=(funciona|funcionó|va|imprime|arranca|carga|ha funcionado|salió) (perfectamente|de maravilla|perfecto|genial|a la primera|sin problemas|sin errores|otra vez|de nuevo|por fin|bien ahora|al fin|estupendamente)",
      "=(el problema|el error|el fallo|la avería|el asunto|todo) (está|ha|quedó|queda|se|ya) (ya|quedado|sido|por fin|está|) (resuelto|solucionado|arreglado|desapareció|desaparecido|solucionó|resolvió|arregló)",
      "=(problema|error|fallo|asunto) (resuelto|solucionado|arreglado|corregido)",
      "=(lo|la|ya lo|por fin lo|ya) (he|hemos|) (conseguí|conseguido|logré|logrado|arreglé|arreglado|solucioné|solucionado|resolví|resuelto|tengo funcionando)",
      "=(eso|esto|con eso|con esto|tu solución|así) (lo|) (arregló|solucionó|resolvió|era|funcionó|sirvió|se arregló|se solucionó|ha funcionado)",
      "=ya no (da|hay|sale|me da|aparece) (error|errores|el error|ningún error|fallos|problema)",
      "=(listo|éxito|eureka|bien|hurra) (ya|funciona|funcionó|todo|quedó|ha)"
    ],
    negation: ["ni", "tampoco", "apenas", "nadie", "hasta que", "ojalá", "para que", "espero"],
    restatement: [
      "=(yo|) (quería|pedí|pregunté|dije|necesitaba|buscaba|preguntaba|pedía|hablaba|quiero)",
      "=(yo|) (te|le|os|) (pedí|pregunté|dije|había pedido|había dicho|he pedido|he dicho|he preguntado|pedía|preguntaba|hablaba|escribí)",
      "=(mi|la) (pregunta|petición) (era|es|fue|trataba)",
      "=(yo|) (lo|la|los|las) (quería|pedí|necesitaba|buscaba)",
      "=(me refería|me refiero|se trata|se trataba) (a|al|de|del)"
    ]
  }
}
