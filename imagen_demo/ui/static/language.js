// The language that a visitor has chosen on the page goes before the browser's. Gradio asks for it as soon as it is
// loaded, and translates some labels once and for all: so this stands before everything else.
{
  const chosen = document.cookie.match(/(?:^|; )imagen-language=(en|zh-CN)/)?.[1];
  if (chosen) {
    Object.defineProperty(navigator, 'language', { value: chosen });
    Object.defineProperty(navigator, 'languages', { value: [chosen] });
  }
}
