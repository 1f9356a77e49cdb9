/** How many pieces are held one by one before they are joined. */
const joinEvery = 64

/**
 * A text that grows by pieces. Added to a string, they would stay a tree of pieces to V8, each of which may keep the whole
 * read alive that it was cut from: a long answer would hold ten times its size.
 */
export class GrowingText {
  private joined = ""
  private pieces: Array<string> = []

  add(piece: string): void {
    if (this.pieces.push(piece) === joinEvery) this.join()
  }

  /** Puts a whole text in the place of what came. */
  replace(text: string): void {
    this.joined = text
    this.pieces = []
  }

  /** All of it, as far as it came. */
  get text(): string {
    this.join()
    return this.joined
  }

  private join(): void {
    this.joined += this.pieces.join("")
    this.pieces = []
  }
}
