import { describe, expect, it } from "vitest"
import { assistant, named, read, user } from "./reading.ts"

/** What people say who are content so far, with words that say something else elsewhere. */
const calm = [
  "How do I talk to my teenage son about money?",
  "I have a meeting with my manager tomorrow, help me prepare.",
  "Write a poem in which somebody gives up smoking.",
  "Please prepare the report for the support team.",
  "Could you add an example for beginners?",
  "What is a good idea for a birthday present?",
  "Is it possible to make this work again after the update?",
  "How long does it take until it works again?",
  "I need a callback function that takes two arguments.",
  "Can you put it in a table?",
  "Leave the second column as it is.",
  "Drop the last three rows and keep the rest.",
  "My boss asked me to write a report about the pond.",
  "What does the word amortisation mean?",
  "Explain how a diesel engine works.",
  "How can I tell whether a mushroom is edible?",
  "Make a list of the worst films ever.",
  "Which is better for beginners, the red one or the blue one?",
  "How do I cancel a meeting in Outlook?",
  "Let's go on with the next chapter.",
  "I asked my neighbour about it and she said it was fine.",
  "I want to learn the guitar, where do I start?",
  "Is there someone who has climbed all fourteen peaks?",
  "How many people speak Basque?",
  "Summarise the complaint letter in two sentences.",
  "Create a job description for a customer service agent.",
  "What time is it in Tokyo?",
  "Could someone with asthma run a marathon?",
  "I like the sea, so suggest a place near it.",
  "And what about the winter?",
  "Thanks!",
  "Thanks, next question please.",
  "OK",
  "Wie lange dauert das im Ofen?",
  "Wie kündige ich einen Handyvertrag?",
  "Kannst du das bitte kürzer machen?",
  "Ich suche seit drei Wochen eine Wohnung in Köln.",
  "Ich habe meinen Chef nach mehr Gehalt gefragt.",
  "Gibt es eine Person, die alle Ozeane durchschwommen hat?",
  "Was ist der Unterschied zwischen das und dass?",
  "Wie spreche ich mit meinem Chef über Teilzeit?",
  "Schreib mir bitte eine Beschwerde an die Bahn.",
  "Ist das eine gute Idee für ein Geschenk?",
  "Mach bitte eine Liste daraus.",
  "Mit anderen Zutaten geht das auch, oder?",
  "Sortiere die Liste nach Datum.",
  "Und im Winter?",
  "Danke dir!",
  "Das Wetter war furchtbar, was kann man drinnen machen?",
  "C'est possible de réserver en ligne ?",
  "C'est quoi un atome ?",
  "Y a-t-il quelqu'un qui a gagné deux prix Nobel ?",
  "Je prends le train demain, que dois-je emporter ?",
  "Comment parler à mon chef d'une augmentation ?",
  "J'aime beaucoup cette région, que visiter ?",
  "Est-ce une bonne idée d'acheter maintenant ?",
  "Tu peux ajouter un exemple ?",
  "Écris une lettre de réclamation à la banque.",
  "Merci !",
  "Et en hiver ?",
  "Comment résilier un abonnement ?",
  "Quelle est la différence entre ça et cela ?",
  "Combien de temps ça prend ?",
  "¿Qué es un agujero negro?",
  "¿Hay alguien que haya ganado dos veces?",
  "Me voy de viaje a Roma, ¿qué puedo ver?",
  "¿Cómo hablo con mi jefe sobre el teletrabajo?",
  "No importa el color, busca uno barato.",
  "Explícalo otra vez, pero para el tema dos.",
  "Escribe una reclamación al ayuntamiento.",
  "¿Cómo cancelo una suscripción en el móvil?",
  "Llevo dos días con fiebre, ¿qué hago?",
  "¿Y en invierno?",
  "¿Es una buena idea comprar ahora?",
  "Ponlo en una tabla.",
  "Me gusta el mar, recomiéndame un sitio.",
  "¿Está bien escrito este párrafo?",
  "The code throws an error when I click the button, nothing happens.",
  "I want the total without taxes.",
  "SELECT * FROM ROSES WHERE COLOUR IS NOT NULL",
  "MAX_POND_DEPTH: HOW DEEP?",
  "DROP TABLE ROSES;",
  "I need it by Friday.",
  "My question is about the second chapter.",
  "Should the pond be deeper?",
  "It should be about the roses as well.",
  "I only want the first three.",
  "Ich wollte noch wissen, wie tief der Teich ist.",
  "Je voulais aussi savoir si les roses sentent bon.",
  "Quería saber también cuántas rosas hay."
]

const before = [user("Tell me about the garden."), assistant("It has twelve roses and a pond.")]

describe("nothing is raised", () => {
  it.each(calm)("by %j", (text) => {
    expect(named(read([...before, user(text)]))).toEqual([])
  })
})

describe("a correction that is none by its words", () => {
  it.each([
    ["Which bakeries open on Saturday?", "On Sunday none is open.", "Saturday, not Sunday!"],
    ["Suggest a vegetarian dinner.", "How about a chicken curry?", "I asked for a vegetarian dinner."],
    ["Wie komme ich mit der Fähre hin?", "Der Bus fährt stündlich.", "Ich meinte mit der Fähre."],
    ["Donne-moi la recette du gâteau.", "Voici une tarte.", "Je voulais un gâteau, pas une tarte."],
    ["Busca un hotel en Sevilla.", "Hay tres hoteles en Granada.", "Quería un hotel en Sevilla."]
  ])("after %j and %j: %j", (asked, answered, text) => {
    expect(named(read([user(asked), assistant(answered), user(text)]))).toEqual(["misalignment.correction@2"])
  })

  it.each([
    ["Which bakeries open on Saturday?", "On Sunday none is open.", "I wanted to thank my neighbours with a cake."],
    ["Which bakeries open on Saturday?", "Three of them.", "Which of them do not close at noon?"],
    ["Wie tief ist der Teich?", "Einen Meter.", "Ich wollte noch wissen, welche Fische im Teich leben."]
  ])("is none after %j and %j: %j", (asked, answered, text) => {
    expect(named(read([user(asked), assistant(answered), user(text)]))).toEqual([])
  })
})
