package web

import (
	"bytes"
	"html/template"
	"net/http"

	"github.com/convene-cal/convene/imip/phrase"
)

// The pages the server writes itself: the door, and the empty room that the
// application furnishes.
const pageText = `{{define "head"}}<!doctype html>
<html lang="{{.Language.Tag}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{.Title}}</title>
<link rel="icon" href="{{.Assets.URL "icon.svg"}}" type="image/svg+xml">
<link rel="stylesheet" href="{{.Assets.URL "style.css"}}">
{{end}}
{{- define "application"}}{{template "head" .}}<script type="module" src="{{.Assets.URL "main.tsx"}}"></script>
</head>
<body>
<div id="app"><main class="page"><p>Loading…</p></main></div>
<noscript><main class="page"><p>The calendar needs JavaScript in the browser. Any calendar program that speaks CalDAV works without, and so does the page for <a href="/sharing/plain">sharing, public addresses and history</a>.</p></main></noscript>
</body>
</html>
{{end}}
{{- define "sign-in"}}{{template "head" .}}</head>
<body>
<main class="door">
<form method="post" action="/sign-in">
<h1><img src="{{.Assets.URL "icon.svg"}}" alt="">Convene</h1>
{{if .Failure}}<div class="trouble" role="alert"><p>{{.Failure}}</p></div>
{{end}}<label class="field"><span class="label">Name or mail address</span>
<input name="login" value="{{.Login}}" required autocomplete="username" autocapitalize="none" spellcheck="false"{{if not .Login}} autofocus{{end}}></label>
<label class="field"><span class="label">Password</span>
<input name="password" type="password" required autocomplete="current-password"{{if .Login}} autofocus{{end}}></label>
<input type="hidden" name="next" value="{{.Next}}">
<button type="submit" class="primary">Sign in</button>
</form>
</main>
</body>
</html>
{{end}}`

var pages = template.Must(template.Must(template.New("pages").Parse(pageText)).Parse(guestPageText + sharingPageText))

// page is what a template may speak of.
type page struct {
	Title   string
	Assets  *assets
	Failure string // why signing in did not work
	Login   string // what was typed, to save typing it again
	Next    string // where to go after signing in
	phrase.Language
	guestPart
	sharingPart
}

// T gives a phrase in the language of who looks.
func (p page) T(english string) string { return p.Say(english) }

// writePage answers with a page that nobody may keep: it names the present
// assets and, to a person who has signed out, must not come back.
func (a *app) writePage(w http.ResponseWriter, status int, name string, p page) {
	p.Assets = a.assets
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, p); err != nil {
		a.log.Error("page", "name", name, "error", err)
		http.Error(w, "Something went wrong on our side; it has been logged.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}
