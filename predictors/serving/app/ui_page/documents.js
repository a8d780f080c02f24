// Bytes of a file or of a page → a document as the summarizer takes it.

import { Problem } from "./api.js";

export const DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const PDF = "application/pdf";
const TEXT = "text/plain";
const HTML = "text/html";
const MARKDOWN = "text/markdown";
const BY_TYPE = {
  [TEXT]: TEXT, [HTML]: HTML, [MARKDOWN]: MARKDOWN, [PDF]: PDF, [DOCX]: DOCX,
  "application/xhtml+xml": HTML, "text/x-markdown": MARKDOWN, "application/x-pdf": PDF,
};
const BY_SUFFIX = { html: HTML, htm: HTML, xhtml: HTML, md: MARKDOWN, markdown: MARKDOWN };
const LOOKS_LIKE_HTML = /^\s*(?:<\?xml[^>]*>\s*)?(?:<!--[^]{0,2000}?-->\s*)*<(?:!doctype\s+html|html|head|body)\b/i;
const SNIFFED = 4096;
const MOST_BYTES = 64 * 2 ** 20;

export class Document {
  // content: what is sent. type: what it is. name: for people. text: if offsets refer to what is sent; otherwise null.
  constructor(content, type, name) {
    this.content = content;
    this.type = type;
    this.name = name;
    this.text = type === TEXT ? content : null;
  }
}

export function fromText(text) {
  if (!text.trim()) throw new Problem("There is no text yet. Paste one, or choose a file.");
  return new Document(wellFormed(text), TEXT, "text");
}

export async function fromFile(file) {
  if (file.size > MOST_BYTES) throw new Problem("This file is too large.");
  return fromBytes(new Uint8Array(await file.arrayBuffer()), file.type, file.name);
}

// declared: the content type, as whoever sends it says; it may be empty, or wrong.
export async function fromBytes(bytes, declared, name) {
  const type = typeOf(bytes, declared, name);
  if (type === PDF || type === DOCX) return new Document(await base64(bytes), type, name);
  const text = decode(bytes, charset(declared) || (type === HTML ? metaCharset(bytes) : ""));
  if (!text.trim()) throw new Problem("There is no text in this document.");
  return new Document(wellFormed(text), type, name);
}

// What a document is: by its first bytes, then by what is said of it, then by its name.
function typeOf(bytes, declared, name) {
  const start = String.fromCharCode(...bytes.subarray(0, SNIFFED));
  if (start.slice(0, 1024).includes("%PDF-")) return PDF;
  if (start.startsWith("PK\x03\x04")) return DOCX;
  const isUtf16 = start.startsWith("\xff\xfe") || start.startsWith("\xfe\xff");
  if (start.startsWith("{\\rtf") || (!isUtf16 && start.includes("\0"))) {
    throw new Problem("This is no text, HTML, PDF or Word document (.docx). Save it as one of these first.");
  }
  const known = BY_TYPE[declared.split(";")[0].trim().toLowerCase()];
  if (known && known !== PDF && known !== DOCX && known !== TEXT) return known;
  const suffix = /\.([a-z]+)(?:[?#].*)?$/i.exec(name);
  return BY_SUFFIX[suffix?.[1].toLowerCase()] ?? (LOOKS_LIKE_HTML.test(start) ? HTML : TEXT);
}

function charset(declared) {
  return /charset\s*=\s*"?([\w.:-]+)/i.exec(declared)?.[1] ?? "";
}

function metaCharset(bytes) {
  return /<meta[^>]+charset\s*=\s*["']?([\w.:-]+)/i.exec(String.fromCharCode(...bytes.subarray(0, SNIFFED)))?.[1] ?? "";
}

// A byte order mark decides, then what is declared, then what the bytes look like.
function decode(bytes, declared) {
  const marked = { "\xef\xbb": "utf-8", "\xff\xfe": "utf-16le", "\xfe\xff": "utf-16be" }[String.fromCharCode(...bytes.subarray(0, 2))];
  for (const label of [marked, declared, "utf-8"]) {
    try {
      if (label) return new TextDecoder(label, { fatal: true }).decode(bytes);
    } catch {
      // Another one, then.
    }
  }
  return new TextDecoder("windows-1252").decode(bytes);
}

// Halves of characters are no Unicode, and no server takes them.
function wellFormed(text) {
  return text.toWellFormed ? text.toWellFormed() : text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd");
}

function base64(bytes) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(new Problem("The file cannot be read."));
    reader.readAsDataURL(new Blob([bytes]));
  });
}
