// The buttons that take the chosen model out: as ONNX, as a web page. TEXTS stands before this.
const D = window.imagenDemo, { h, button } = D, T = D.texts(TEXTS);
const root = element.querySelector('.me-root');
const chosen = () => document.querySelector('#models-cards .mo-card[aria-pressed=true]')?.dataset.model || '';
const make = (format) => {
  const made = button(`models-export-${format}`, T(`me_${format}`), 'download', () => trigger('make', { model: chosen(), format, job: D.ticket() }));
  made.title = T(`me_${format}_help`);
  return made;
};
root.replaceChildren(h('div', { class: 'im-bar im-start' }, make('onnx'), make('web')));
