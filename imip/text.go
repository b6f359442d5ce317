package imip

import (
	"html/template"
	"strings"
	texttemplate "text/template"
	"unicode/utf8"
)

var textTemplate = texttemplate.Must(texttemplate.New("text").Funcs(texttemplate.FuncMap{"pad": pad, "indent": indent}).Parse(
	`{{.Headline}}
{{if .Comment}}
{{indent .Comment}}
{{end}}{{if .Changes}}
{{.T "What changed:"}}
{{range .Changes}}  {{pad .Label}}{{if .Old}}{{.Old}}{{if .New}}
  {{pad ""}}-> {{.New}}{{else}}{{$.T " (removed)"}}{{end}}{{else}}{{.New}}{{$.T " (new)"}}{{end}}
{{end}}{{end}}
{{range .Rows}}{{pad .Label}}{{.Value}}
{{end}}{{if .Description}}
{{.Description}}
{{end}}{{range .Left}}
{{$.T "Too large to be sent: "}}{{.}}
{{end}}{{if .RSVPURL}}
{{.T "Answer here: "}}{{.RSVPURL}}
{{end}}{{if .Footer}}
-- 
{{.Footer}}
{{end}}`))

// The HTML has no remote parts, no scripts (schema.org's description is data) and no fixed colours for text or
// ground, so that it is readable in dark and in plain programs, and prints.
var htmlTemplate = template.Must(template.New("html").Funcs(template.FuncMap{"paragraphs": paragraphs}).Parse(
	`<!DOCTYPE html>
<html lang="{{.Tag}}"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>{{.Subject}}</title>{{if .Markup}}
<script type="application/ld+json">{{.Markup}}</script>{{end}}</head>
<body style="font-family:sans-serif;font-size:15px;line-height:1.5;margin:0;padding:16px">
<p style="margin:0 0 12px 0">{{.Headline}}</p>
{{if .Comment}}<blockquote style="margin:0 0 12px 0;padding:0 0 0 12px;border-left:3px solid #888888">{{range paragraphs .Comment}}{{.}}<br>{{end}}</blockquote>
{{end}}<h1 style="font-size:20px;margin:0 0 8px 0{{if .Cancelled}};text-decoration:line-through{{end}}">{{.Title}}</h1>
{{if .Changes}}<table role="presentation" style="border-collapse:collapse;margin:0 0 12px 0;border-left:3px solid #cc7a00"><tr><th colspan="2" style="text-align:left;padding:2px 12px">{{.T "What changed"}}</th></tr>
{{range .Changes}}<tr><td style="padding:2px 12px;vertical-align:top"><b>{{.Label}}</b></td><td style="padding:2px 12px 2px 0">{{if .Old}}<s>{{.Old}}</s>{{end}}{{if .New}}{{if .Old}}<br>{{end}}{{.New}}{{end}}</td></tr>
{{end}}</table>
{{end}}<table role="presentation" style="border-collapse:collapse;margin:0 0 12px 0">
{{range .Rows}}<tr><td style="padding:2px 16px 2px 0;vertical-align:top"><b>{{.Label}}</b></td><td style="padding:2px 0">{{.Value}}</td></tr>
{{end}}</table>
{{if .Description}}<div style="margin:0 0 12px 0;padding-top:8px;border-top:1px solid #888888">{{range paragraphs .Description}}{{.}}<br>
{{end}}</div>
{{end}}{{range .Left}}<p>{{$.T "Too large to be sent: "}}{{.}}</p>
{{end}}{{if .RSVPURL}}<p><a href="{{.RSVPURL}}" style="display:inline-block;padding:8px 16px;border:1px solid #1a5fb4;border-radius:4px">{{.T "Answer this invitation"}}</a></p>
{{end}}{{if .Footer}}<p style="font-size:13px;opacity:0.75">{{.Footer}}</p>
{{end}}</body></html>
`))

// text is the plain alternative, with CRLF line ends.
func (v *view) text() (string, error) {
	var b strings.Builder
	if err := textTemplate.Execute(&b, v); err != nil {
		return "", err
	}
	return crlf(b.String()), nil
}

func (v *view) html() (string, error) {
	var b strings.Builder
	if err := htmlTemplate.Execute(&b, v); err != nil {
		return "", err
	}
	return crlf(b.String()), nil
}

// crlf makes canonical line ends (RFC 2046 4.1.1) and takes out what is no text.
func crlf(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	return strings.ReplaceAll(s, "\n", "\r\n")
}

// pad sets labels of the text in a column.
func pad(label string) string {
	const width = 14
	if label != "" {
		label += ":"
	}
	return label + strings.Repeat(" ", max(width-utf8.RuneCountInString(label), 1))
}

func indent(s string) string { return "  " + strings.ReplaceAll(s, "\n", "\n  ") }

func paragraphs(s string) []string { return strings.Split(s, "\n") }
