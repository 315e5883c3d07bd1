// The language that a visitor has chosen on the page takes precedence over the browser's. Gradio reads the language as it
// loads, and translates some labels once and for all: so this stands before everything else.
{
  const chosen = document.cookie.match(/(?:^|; )imagen-language=(en|zh-CN)/)?.[1];
  if (chosen) {
    Object.defineProperty(navigator, 'language', { value: chosen });
    Object.defineProperty(navigator, 'languages', { value: [chosen] });
  }
}
