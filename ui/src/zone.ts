// The page of a guest begins in the time zone of the browser: where the address
// names no zone, it is opened again with one, once. Without this script the
// zone is chosen on the page. The server marks the form where it may be asked:
// not on the answer to something that was sent, which would be lost.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const here = new URL(location.href);
if (zone && !here.searchParams.has("zone") && document.querySelector("form[data-ask-zone]")) {
  here.searchParams.set("zone", zone);
  location.replace(here);
}

export {};
