// Browsers load no modules from a folder on disk: say what to do instead.
if (location.protocol === 'file:') {
  document.getElementById('progress').hidden = true;
  document.getElementById('note').textContent = navigator.language.startsWith('zh')
    ? '请通过网页服务器打开本页：在此文件夹中运行 python -m http.server，然后访问 http://localhost:8000。'
    : 'Open this page through a web server: run python -m http.server in this folder, then go to http://localhost:8000.';
}
