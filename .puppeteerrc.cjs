// The start script finds or fetches a browser (scripts/browser.mjs); `npm ci` must not.
module.exports = { skipDownload: true };
