// Notices a stream that broke off: the browser then shows its last picture for ever and fires no event. So: scenes come in,
// but the picture does not change.

const LOOK_MS = 2000;
const LOOKS = 4;
const SCENES = 8;
const SIDE_PX = 16;

export class FreezeWatch {
  #picture;
  #context;
  #scenes = 0;
  #alike = 0;
  #patience = LOOKS;
  #last = "";

  constructor(picture) {
    this.#picture = picture;
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIDE_PX;
    this.#context = canvas.getContext("2d", { willReadFrequently: true });
    setInterval(() => this.#look(), LOOK_MS);
  }

  sawScene() {
    this.#scenes += 1;
  }

  #look() {
    const image = this.#picture.image;
    if (document.hidden || !image.naturalWidth || this.#scenes < SCENES) return;
    this.#scenes = 0;
    this.#context.drawImage(image, 0, 0, SIDE_PX, SIDE_PX);
    const now = this.#context.getImageData(0, 0, SIDE_PX, SIDE_PX).data.join();
    if (now !== this.#last) {
      this.#last = now;
      this.#alike = 0;
      this.#patience = LOOKS;
      return;
    }
    this.#alike += 1;
    if (this.#alike < this.#patience) return;
    // the scene itself may stand still, as a test picture does: ask less and less often
    this.#alike = 0;
    this.#patience *= 2;
    this.#picture.reload();
  }
}
