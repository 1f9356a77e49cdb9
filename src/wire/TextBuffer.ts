/** How many pieces are held one by one before they are joined: a frame that arrives byte by byte must stay small. */
const joinEvery = 1024

/** Text that arrives in pieces, taken out once as a whole: linear however small the pieces are. */
export class TextBuffer {
  /** The length of the held text in bytes of UTF-8; zero when nothing is held. */
  bytes = 0
  /** Nearly always the only piece, and then no array is touched. */
  private first = ""
  private pieces: Array<string> = []
  private joined: Array<string> = []

  add(piece: string): void {
    if (piece.length === 0) return
    if (this.bytes === 0) this.first = piece
    else this.pieces.push(piece)
    this.bytes += Buffer.byteLength(piece)
    if (this.pieces.length === joinEvery) {
      this.joined.push(this.pieces.join(""))
      this.pieces = []
    }
  }

  /** Returns what was held and forgets it. */
  take(): string {
    let text = this.first
    this.first = ""
    this.bytes = 0
    if (this.pieces.length > 0 || this.joined.length > 0) {
      text += this.joined.join("") + this.pieces.join("")
      this.pieces = []
      this.joined = []
    }
    return text
  }
}

/** Whether `text` is at most `limit` bytes of UTF-8; they are counted only where its length leaves that open. */
export const fitsBytes = (text: string, limit: number): boolean =>
  text.length * 3 <= limit || Buffer.byteLength(text) <= limit
