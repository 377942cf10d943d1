// The button that makes this device's camera the source, while the program takes pictures from a browser.
//
// `own_camera.js` is loaded when the button is first pressed. It exports `toggle({ screen, button, tell })`, called at each press:
// `screen` is where the picture is, `button` the button with its `.control-name`, `tell` says a sentence to the person.

import { at } from "./dom.js";

export class OwnCameraButton {
  #button = at("own-camera");

  constructor(tell) {
    this.#button.addEventListener("click", () => this.#press(tell));
  }

  show(status) {
    this.#button.hidden = status.push !== true;
  }

  async #press(tell) {
    try {
      const { toggle } = await import("./own_camera.js");
      await toggle({ screen: at("screen"), button: this.#button, tell });
    } catch (error) {
      tell(`This device's camera cannot be used: ${error.message}`);
    }
  }
}
