// Sends files to the program and asks for what it made of them. Errors come as sentences that can be shown.

const GONE = "The device did not answer. Is it still running?";

// XMLHttpRequest, because fetch cannot tell how much of a body has gone. `sent`: told a share from 0 to 1.
export function send(url, body, { sent = () => {}, signal = null } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.responseType = "text";
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = (event) => event.lengthComputable && sent(event.loaded / event.total);
    request.onload = () => {
      if (request.status < 300) resolve(JSON.parse(request.responseText));
      else reject(new Error(sentence(request.status, request.responseText)));
    };
    request.onerror = () => reject(new Error(GONE));
    request.onabort = () => reject(new Error("It was not sent to the end."));
    signal?.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

export async function ask(url, options = {}) {
  let response;
  try {
    response = await fetch(url, { cache: "no-store", ...options });
  } catch {
    throw new Error(GONE);
  }
  if (!response.ok) throw new Error(sentence(response.status, await response.text()));
  return response;
}

function sentence(status, text) {
  if (status === 401) return "You are signed out. Load this page anew.";
  try {
    return JSON.parse(text).error.message;
  } catch {
    return `The device answered with ${status}.`;
  }
}
