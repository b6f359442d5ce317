package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/imip/phrase"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// The page on which somebody answers an invitation without a calendar program
// and without an account. Whoever has its address, which went out in one mail to
// one person, may answer for that person. Opening it changes nothing: mail
// scanners open every link.
const guestPageText = `{{define "rsvp"}}{{template "head" .}}<meta name="robots" content="noindex">
<meta name="referrer" content="no-referrer">
<script type="module" src="{{.Assets.URL "zone.ts"}}"></script>
</head>
<body>
<main class="page rsvp">
{{with .Guest}}<h1>{{if .Summary.Title}}{{.Summary.Title}}{{else}}{{$.T "Invitation"}}{{end}}</h1>
{{if .Cancelled}}<div class="trouble" role="status"><p>{{$.T "This event was cancelled."}}</p></div>
{{end}}{{with $.Said}}<div class="notice" role="status"><p>{{.}}</p></div>
{{end}}{{with $.Failure}}<div class="trouble" role="alert"><p>{{.}}</p></div>
{{end}}<dl class="facts">
<dt>{{$.T "When"}}</dt><dd>{{.Summary.When}}</dd>
{{with $.WhenThere}}<dt>{{$.T "For you"}}</dt><dd>{{.}}</dd>
{{end}}{{with .Summary.Repeats}}<dt>{{$.T "Repeats"}}</dt><dd>{{.}}</dd>
{{end}}{{with .Summary.Where}}<dt>{{$.T "Where"}}</dt><dd>{{.}}</dd>
{{end}}{{with .Organizer}}<dt>{{$.T "Organizer"}}</dt><dd>{{.}}</dd>
{{end}}{{with .Attendee.Address}}<dt>{{$.T "You"}}</dt><dd>{{.Email}}</dd>
{{end}}{{with $.Answer}}<dt>{{$.T "Your answer so far"}}</dt><dd>{{.}}</dd>
{{end}}{{with .Summary.Description}}<dt>{{$.T "Notes"}}</dt><dd class="notes">{{.}}</dd>
{{end}}</dl>
<form method="get" class="row"{{if $.AskZone}} data-ask-zone{{end}}>
<label class="field"><span class="label">{{$.T "Your time zone"}}</span>
<select name="zone">
<option value="">{{$.T "that of the event"}}</option>
{{with $.Zone}}<option selected>{{.}}</option>
{{end}}{{range $.Zones}}{{if ne . $.Zone}}<option>{{.}}</option>
{{end}}{{end}}</select></label>
<button type="submit">{{$.T "Show times"}}</button>
</form>
{{if not .Cancelled}}<form method="post">
<input type="hidden" name="zone" value="{{$.Zone}}">
{{if $.Occurrences}}<p>{{$.T "This answers the whole series; single occurrences are below."}}</p>
{{end}}<label class="field"><span class="label">{{$.T "A word to the organizer (may stay empty)"}}</span>
<textarea name="comment" rows="3" maxlength="2000">{{$.Comment}}</textarea></label>
<p class="actions">
<button name="answer" value="ACCEPTED" type="submit" class="primary">{{$.T "Accept"}}</button>
<button name="answer" value="TENTATIVE" type="submit">{{$.T "Maybe"}}</button>
<button name="answer" value="DECLINED" type="submit">{{$.T "Decline"}}</button>
</p>
</form>
{{end}}{{with $.Occurrences}}<section aria-labelledby="single">
<h2 id="single">{{$.T "Single occurrences"}}</h2>
<p>{{$.T "The next ones, each with an answer of its own."}}</p>
{{range .}}<form method="post" class="card">
<input type="hidden" name="zone" value="{{$.Zone}}">
<input type="hidden" name="occurrence" value="{{.ID}}">
<dl class="facts" id="o{{.ID}}">
<dt>{{$.T "When"}}</dt><dd>{{.When}}</dd>
{{with .There}}<dt>{{$.T "For you"}}</dt><dd>{{.}}</dd>
{{end}}{{with .Where}}<dt>{{$.T "Where"}}</dt><dd>{{.}}</dd>
{{end}}{{with .Answer}}<dt>{{$.T "Your answer"}}</dt><dd>{{.}}</dd>
{{end}}</dl>
<label class="field"><span class="label">{{$.T "A word to the organizer about this one (may stay empty)"}}</span>
<textarea name="comment" rows="1" maxlength="2000" aria-describedby="o{{.ID}}">{{.Comment}}</textarea></label>
<p class="actions">
<button name="answer" value="ACCEPTED" type="submit" aria-describedby="o{{.ID}}">{{$.T "Accept"}}</button>
<button name="answer" value="TENTATIVE" type="submit" aria-describedby="o{{.ID}}">{{$.T "Maybe"}}</button>
<button name="answer" value="DECLINED" type="submit" aria-describedby="o{{.ID}}">{{$.T "Decline"}}</button>
</p>
</form>
{{end}}</section>
{{end}}{{with $.Proposals}}<section aria-labelledby="proposed">
<h2 id="proposed">{{$.T "What you proposed"}}</h2>
<p>{{$.T "The organizer has not decided yet; the event stays as it is until then."}}</p>
{{range .}}<form method="post" class="card">
<input type="hidden" name="zone" value="{{$.Zone}}">
<input type="hidden" name="proposal" value="{{.ID}}">
<dl class="facts" id="p{{.ID}}">
{{with .Instead}}<dt>{{$.T "Instead of"}}</dt><dd>{{.}}</dd>
{{end}}<dt>{{$.T "Proposed"}}</dt><dd>{{.When}}</dd>
{{with .There}}<dt>{{$.T "For you"}}</dt><dd>{{.}}</dd>
{{end}}{{with .Comment}}<dt>{{$.T "Your words"}}</dt><dd class="notes">{{.}}</dd>
{{end}}</dl>
<p class="actions"><button name="answer" value="WITHDRAW" type="submit" aria-describedby="p{{.ID}}">{{$.T "Take it back"}}</button></p>
</form>
{{end}}</section>
{{end}}{{with $.Propose}}<section aria-labelledby="propose">
<h2 id="propose">{{$.T "Propose another time"}}</h2>
<form method="post" class="card">
<input type="hidden" name="zone" value="{{$.Zone}}">
{{if $.Occurrences}}<label class="field"><span class="label">{{$.T "Instead of"}}</span>
<select name="occurrence">{{range $.Occurrences}}
<option value="{{.ID}}"{{if eq .ID $.Propose.Occurrence}} selected{{end}}>{{if .There}}{{.There}}{{else}}{{.When}}{{end}}</option>{{end}}
</select></label>
{{end}}<label class="field"><span class="label">{{if .AllDay}}{{$.T "First day"}}{{else}}{{$.T "Begins"}} ({{.Clock}}){{end}}</span>
<input name="start" type="{{.Input}}" value="{{.Start}}" required></label>
<label class="field"><span class="label">{{if .AllDay}}{{$.T "Last day"}}{{else}}{{$.T "Ends"}} ({{.Clock}}){{end}} {{$.T "(empty: lasts as long as now)"}}</span>
<input name="end" type="{{.Input}}" value="{{.End}}"></label>
<label class="field"><span class="label">{{$.T "A word to the organizer (may stay empty)"}}</span>
<textarea name="comment" rows="2" maxlength="2000">{{.Comment}}</textarea></label>
<p class="actions"><button name="answer" value="PROPOSE" type="submit">{{$.T "Propose"}}</button></p>
</form>
</section>
{{end}}<p><a href="{{$.File}}" download="invite.ics">{{$.T "Save the event as a file"}}</a> {{$.T "for a calendar program. Answers are given here."}}</p>
{{if not .Cancelled}}<section aria-labelledby="else">
<h2 id="else">{{$.T "I am somebody else"}}</h2>
<p>{{printf ($.T "If this mail was passed on to you, do not answer for %s: ask the organizer to invite you.") .Attendee.Address.Email}}</p>
<form method="post" class="card">
<input type="hidden" name="zone" value="{{$.Zone}}">
<label class="field"><span class="label">{{$.T "Your name"}}</span><input name="name" maxlength="100" autocomplete="name"></label>
<label class="field"><span class="label">{{$.T "Your mail address"}}</span><input name="email" type="email" maxlength="254" autocomplete="email" required></label>
<label class="field"><span class="label">{{$.T "A word to the organizer (may stay empty)"}}</span>
<textarea name="comment" rows="2" maxlength="2000"></textarea></label>
<p class="actions"><button name="answer" value="SOMEBODY" type="submit">{{$.T "Ask to be invited"}}</button></p>
</form>
</section>
{{end}}{{with $.Until}}<p class="hint">{{printf ($.T "This page can be used until %s. Each later mail about the event brings a new one; an earlier one shows the same until its own end.") .}}</p>
{{end}}{{else}}<h1>{{.T "Invitation"}}</h1>
<div class="trouble" role="alert"><p>{{.Failure}}</p></div>
{{end}}</main>
</body>
</html>
{{end}}`

// guestPart is what the page knows beside the usual.
type guestPart struct {
	Guest   *calendar.Guest
	Said    string // what the answer just given was
	Answer  string // the answer on record
	Comment string

	Zone        string            // the guest's; "" = not known
	Zones       []string          // to choose from
	AskZone     bool              // the browser may open the page again in its own zone
	Occurrences []guestOccurrence // the next of a series
	Propose     *guestWish        // nil = the organizer takes no proposals
	Proposals   []guestProposal   // that wait for the organizer
	Until       string            // the last day of the page; "" = not known
	File        string            // address of the event as a file

	WhenThere string // when it is on the guest's clock, where that shows another time
}

// guestOccurrence is an occurrence on the page.
type guestOccurrence struct {
	ID, When, There string
	Where           string // where it is elsewhere than the series
	Answer          string
	Comment         string // what was typed where the answer was refused
}

// maxGuestOccurrences that the page lists.
const maxGuestOccurrences = 10

// occurrencesOf are the next of a series as the page shows them.
func (a *app) occurrencesOf(g calendar.Guest, r itip.Reader) []guestOccurrence {
	var out []guestOccurrence
	for _, o := range g.Occurrences(a.now(), maxGuestOccurrences) {
		own := o.For(itip.Reader{Translate: r.Translate})
		shown := guestOccurrence{ID: o.ID, When: own.When, Answer: r.Translate(answerWords[strings.ToUpper(o.Attendee.PartStat)])}
		if r.Zone != nil {
			shown.There = whenThere(own, o.For(r), r.Zone)
		}
		if own.Where != g.Summary.Where {
			shown.Where = own.Where
		}
		out = append(out, shown)
	}
	return out
}

// zoneAsked is the guest's time zone as the address or the form names it, by
// any name of one that the time zone database knows. Nil: none, or none that is
// known, which the sentence says.
func zoneAsked(r *http.Request) (*tz.Zone, string) {
	name := strings.TrimSpace(r.FormValue("zone"))
	if name == "" {
		return nil, ""
	}
	if z, err := tz.Load(name); err == nil && z.IANA() {
		return z, ""
	}
	return nil, fmt.Sprintf(languageOf(r).Say("The time zone %.80q is not known here; times are shown as the event has them. Choose yours below."), name)
}

// whenThere is when something takes place on the clock of a zone; "" where that
// shows the same as the event's own, or where it has no time of day.
func whenThere(own, there itip.Summary, z *tz.Zone) string {
	if own.AllDay || own.From.IsZero() {
		return ""
	}
	shows := func(t ical.Time, at time.Time) bool {
		wall, _ := z.Wall(at)
		return wall.Equal(t.Wall)
	}
	if shows(own.Start, own.From) && (own.End.TZID != own.Start.TZID || shows(own.End, own.To)) {
		return ""
	}
	return there.When
}

// answerWords are what the page says of an answer (RFC 5545 3.2.12).
var answerWords = map[string]string{"ACCEPTED": "accepted", "TENTATIVE": "maybe", "DECLINED": "declined", "DELEGATED": "passed on to somebody else"}

// maxGuestForm bounds the form, octets.
const maxGuestForm = 64 << 10

// invitation finds the row that the page is about.
func (a *app) invitation(r *http.Request) (store.Entry, time.Time, error) {
	if a.o.Invitation == nil {
		return store.Entry{}, time.Time{}, problem.New(problem.NotFound, "There are no such pages here.")
	}
	return a.o.Invitation(r.Context(), r.PathValue("token"))
}

// answerSomebody is the button of who was not invited.
const answerSomebody = "SOMEBODY"

// guestFile gives the event to a calendar program.
func (a *app) guestFile(w http.ResponseWriter, r *http.Request) {
	e, _, err := a.invitation(r)
	var g calendar.Guest
	if err == nil {
		g, err = a.o.Calendar.Guest(r.Context(), e.Account, e.UID, ical.Address(e.To))
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("X-Robots-Tag", "noindex")
	if err != nil {
		http.Error(w, problem.Of(err).Sentence, http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/calendar; charset=utf-8; method=PUBLISH")
	w.Header().Set("Content-Disposition", `attachment; filename="invite.ics"`)
	w.Header().Set("Cache-Control", "private, no-store")
	w.Write(g.File())
}

func (a *app) guestPage(w http.ResponseWriter, r *http.Request) {
	// Scanners fetch every link in a mail; a browser says that it shows the page
	// (Fetch Metadata). The note is for the organizer, nothing hangs on it.
	if r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" {
		if e, _, err := a.invitation(r); err == nil {
			if err := a.o.Journal.Opened(r.Context(), e.Account, e.ID); err != nil {
				a.log.Error("page of an invitation", "error", err)
			}
		}
	}
	a.showGuest(w, r, http.StatusOK, "", "", "")
}

// showGuest writes the page with the present state of the event.
func (a *app) showGuest(w http.ResponseWriter, r *http.Request, status int, said, failure, comment string) {
	z, unknown := zoneAsked(r)
	p := page{Language: languageOf(r), Failure: failure}
	p.Title = p.T("Invitation")
	words := itip.Reader{Translate: p.T} // on the event's own clock
	reader := itip.Reader{Zone: z, Translate: p.T}
	e, until, err := a.invitation(r)
	if err == nil {
		var g calendar.Guest
		if g, err = a.o.Calendar.Guest(r.Context(), e.Account, e.UID, ical.Address(e.To)); err == nil {
			g.Summary = g.For(words)
			p.guestPart = guestPart{Guest: &g, Said: said, Answer: p.T(answerWords[strings.ToUpper(g.Attendee.PartStat)]), Comment: comment, Zones: tz.Names()}
			p.AskZone = r.Method == http.MethodGet && !r.URL.Query().Has("zone")
			if z != nil {
				p.Zone, p.WhenThere = z.Name(), whenThere(g.Summary, g.For(reader), z)
			}
			p.Occurrences = a.occurrencesOf(g, reader)
			if one := r.PostFormValue("occurrence"); one != "" && comment != "" && r.PostFormValue("answer") != answerPropose {
				for i := range p.Occurrences {
					if p.Occurrences[i].ID == one {
						p.Occurrences[i].Comment, p.Comment = comment, ""
					}
				}
			}
			p.File = "/rsvp/" + r.PathValue("token") + "/event.ics"
			if !until.IsZero() {
				p.Until = words.Date(until.UTC())
			}
			p.Proposals = a.openProposals(r, e, reader)
			p.Propose = a.wishOf(r, g, z, len(p.Occurrences) > 0, failure != "")
			if p.Propose != nil && p.Propose.Comment != "" {
				p.Comment = "" // it belongs to the proposal
			}
			if p.Failure == "" {
				p.Failure = unknown
			}
			if g.Summary.Title != "" {
				p.Title = g.Summary.Title
			}
		}
	}
	if err != nil {
		refusal := problem.Of(err)
		status, p.Failure = http.StatusNotFound, p.T(refusal.Sentence)
		if refusal.Condition == problem.Internal {
			a.log.Error("page of an invitation", "error", err)
			status = http.StatusInternalServerError
		}
	}
	w.Header().Set("Referrer-Policy", "no-referrer") // the address is the key
	w.Header().Set("Content-Language", p.Tag())
	w.Header().Add("Vary", "Accept-Language")
	w.Header().Set("X-Robots-Tag", "noindex")
	a.writePage(w, status, "rsvp", p)
}

func (a *app) guestAnswer(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxGuestForm)
	if err := r.ParseForm(); err != nil {
		a.showGuest(w, r, http.StatusBadRequest, "", languageOf(r).Say("The form could not be read; send it again."), "")
		return
	}
	answer, comment := strings.ToUpper(r.PostForm.Get("answer")), strings.TrimSpace(r.PostForm.Get("comment"))
	occurrence := r.PostForm.Get("occurrence") // "" = all
	said := "Your answer was sent: %s."
	if occurrence != "" {
		said = "Your answer to the one occurrence was sent: %s."
	}
	language := languageOf(r)
	said = fmt.Sprintf(language.Say(said), language.Say(answerWords[answer]))
	e, _, err := a.invitation(r)
	if err == nil {
		evidence, _ := json.Marshal(map[string]any{"token": true, "remote": r.RemoteAddr, "invitation": e.ID}) // strings and numbers: it cannot fail
		switch answer {
		case answerWithdraw:
			said = "Your proposal was taken back. The event stays as it is."
			err = a.guestWithdraws(r, e)
		case answerSomebody:
			said = "The organizer was asked, unless this address is invited already: then the mail that came to it has a page of its own. You hear by mail if you are invited."
			name := strings.Map(func(r rune) rune {
				if r < ' ' || r == 0x7f || r == '"' {
					return -1
				}
				return r
			}, strings.TrimSpace(r.PostForm.Get("name")))
			if len(name) > 400 {
				name = ""
			}
			nothing, _ := json.Marshal(map[string]any{"remote": r.RemoteAddr, "invitation": e.ID}) // the token is another's: it proves nothing of who this is
			err = a.o.Calendar.GuestElse(r.Context(), e.Account, e.UID, ical.Address(e.To), ical.Mailto(strings.TrimSpace(r.PostForm.Get("email"))), name, "ACCEPTED", comment, nothing)
		case answerPropose:
			said = "Your proposal was sent. The event stays as it is until the organizer takes it up; you hear of that by mail."
			err = a.guestProposes(r, e, comment, evidence)
		default:
			err = a.o.Calendar.GuestAnswer(r.Context(), e.Account, e.UID, occurrence, ical.Address(e.To), answer, comment, evidence)
		}
	}
	if err != nil {
		refusal := problem.Of(err)
		if refusal.Condition == problem.Internal {
			a.log.Error("answer on an invitation's page", "error", err)
		}
		a.showGuest(w, r, http.StatusUnprocessableEntity, "", language.Say(refusal.Sentence), comment)
		return
	}
	a.showGuest(w, r, http.StatusOK, language.Say(said), "", "")
}

// languageOf is what the guest's browser asks for (OUT-13).
func languageOf(r *http.Request) phrase.Language {
	language, _ := phrase.Accepted(r.Header.Get("Accept-Language"))
	return language
}
