package web

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// The page on which a person says who may see and change their calendars, what
// is published, what is followed, and takes back what was changed or deleted.
// It works without JavaScript: every button is a form.
const sharingPageText = `{{define "sharing"}}{{template "head" .}}</head>
<body>
<main class="page sharing">
<p><a href="/calendar">Back to the calendar</a></p>
<h1>Sharing</h1>
{{with .Said}}<div class="notice" role="status"><p>{{.}}</p></div>
{{end}}{{with .Failure}}<div class="trouble" role="alert"><p>{{.}}</p></div>
{{end}}{{range .Own}}<section aria-label="{{.Title}}">
<h2>{{.Title}}</h2>
{{$calendar := .Name}}{{if .Shares}}<ul>{{range .Shares}}<li>
<form method="post" action="/sharing/plain"><input type="hidden" name="calendar" value="{{$calendar}}"><input type="hidden" name="who" value="{{.Name}}">
{{.DisplayName}} ({{.Name}}): {{.Words}}{{if .Waiting}}, has not answered yet{{end}}{{if .Declined}}, has declined{{end}}
<button name="do" value="unshare">Take back</button></form></li>
{{end}}</ul>
{{else}}<p>Nobody else sees what is in it; colleagues see when you are busy.</p>
{{end}}<form method="post" action="/sharing/plain"><input type="hidden" name="calendar" value="{{.Name}}">
<label class="field"><span class="label">Share with (name or mail address)</span><input name="who" required maxlength="300"></label>
<label class="field"><span class="label">They may</span><select name="access">{{range $.Kinds}}<option value="{{.Access}}">{{.Text}}</option>{{end}}</select></label>
<p class="actions"><button name="do" value="share" class="primary">Share</button></p></form>
{{if .Feeds}}<h3>Public addresses</h3><ul>{{range .Feeds}}<li>
<form method="post" action="/sharing/plain"><input type="hidden" name="feed" value="{{.ID}}">
<a href="{{.URL}}">{{.URL}}</a> (<a href="{{.Webcal}}">subscribe</a>), {{.Words}}, since {{.Since}} <button name="do" value="end-feed">End it</button></form></li>
{{end}}</ul>
{{end}}<form method="post" action="/sharing/plain"><input type="hidden" name="calendar" value="{{.Name}}">
<p class="actions"><button name="do" value="publish-full">Make a public address</button> <button name="do" value="publish-busy">Public address that only tells when I am busy</button></p></form>
</section>
{{end}}<section aria-label="People who act for you">
<h2>People who act for you</h2>
<p>They read, or change, all of your calendars, what is private included, and answer and invite in your name.</p>
<ul>{{range .Proxies}}<li><form method="post" action="/sharing/plain"><input type="hidden" name="who" value="{{.Name}}"><input type="hidden" name="access" value="{{.Access}}">
{{.DisplayName}} ({{.Name}}): {{.Words}} <button name="do" value="dismiss">Take back</button></form></li>
{{end}}</ul>
<form method="post" action="/sharing/plain">
<label class="field"><span class="label">Name or mail address</span><input name="who" required maxlength="300"></label>
<p class="actions"><button name="do" value="act" class="primary">Let them act for me</button> <button name="do" value="watch">Let them read all calendars</button></p></form>
</section>
{{if or .Invited .Shared}}<section aria-label="Shared with you">
<h2>Shared with you</h2>
<ul>{{range .Invited}}<li><form method="post" action="/sharing/plain"><input type="hidden" name="owner" value="{{.Owner}}"><input type="hidden" name="id" value="{{.ID}}">
{{.OwnerName}} invites you to {{.Title}} <button name="do" value="accept" class="primary">Accept</button> <button name="do" value="decline">Decline</button></form></li>
{{end}}{{range .Shared}}<li><form method="post" action="/sharing/plain"><input type="hidden" name="owner" value="{{.Owner}}"><input type="hidden" name="id" value="{{.ID}}">
{{.Title}} of {{.OwnerName}}: {{.Words}} <button name="do" value="decline">Take it off my list</button></form></li>
{{end}}</ul></section>
{{end}}<section aria-label="Followed calendars">
<h2>Calendars from the web</h2>
<ul>{{range .Followed}}<li><form method="post" action="/sharing/plain"><input type="hidden" name="calendar" value="{{.Name}}"><input type="hidden" name="id" value="{{.ID}}">
{{.Title}}: {{.URL}}, {{.Age}}{{with .Error}} <strong>{{.}}</strong>{{end}}
<button name="do" value="refresh">Fetch now</button> <button name="do" value="unfollow">Remove</button></form></li>
{{end}}</ul>
<form method="post" action="/sharing/plain">
<label class="field"><span class="label">Address of a calendar (https:// or webcal://)</span><input name="url" required maxlength="4000" inputmode="url"></label>
<p class="actions"><button name="do" value="follow" class="primary">Follow it</button></p></form>
</section>
<section aria-label="History">
<h2>Changed and deleted lately</h2>
{{if .History}}<ul>{{range .History}}<li><form method="post" action="/sharing/plain"><input type="hidden" name="object" value="{{.Object}}"><input type="hidden" name="seq" value="{{.Seq}}">
{{.When}}: {{.Title}} ({{.Calendar}}) was {{.Became}} <button name="do" value="restore">{{.Button}}</button></form></li>
{{end}}</ul>
<p>Events with guests are sent to them again when they are brought back.</p>
{{else}}<p>Nothing in the last {{.Days}} days.</p>
{{end}}</section>
</main>
</body>
</html>
{{end}}`

// accessSentences say what kinds of sharing mean.
var accessSentences = map[acl.Access]string{
	acl.FreeBusy: "see when I am busy",
	acl.Read:     "read it, private events as busy",
	acl.Write:    "read and change it",
	acl.Team:     "change it and describe it, as a team",
	acl.Act:      "act for me in it, private events included",
}

// sharingPart is what the page knows beside the usual.
type sharingPart struct {
	Kinds    []kindOnWire
	Own      []ownCalendar
	Proxies  []wordedPerson
	Invited  []theirCalendar
	Shared   []theirCalendar
	Followed []followedCalendar
	History  []earlier
	Days     int
}

type wordedPerson struct {
	Name, DisplayName, Access, Words string
	Waiting, Declined                bool
}

type ownCalendar struct {
	Name, Title string
	Shares      []wordedPerson
	Feeds       []publicAddress
}

type publicAddress struct {
	ID                        int64
	URL, Webcal, Words, Since string
}

type theirCalendar struct {
	Owner                   string
	ID                      int64
	OwnerName, Title, Words string
}

type followedCalendar struct {
	ID                           int64
	Name, Title, URL, Age, Error string
}

type earlier struct {
	Object, Seq                           int64
	When, Title, Calendar, Became, Button string
}

// shownHistory is how much of the history the page shows.
const shownHistory = 50

func (a *app) sharingPage(w http.ResponseWriter, r *http.Request) {
	who, err := a.session(r)
	if problem.Has(err, problem.Unauthenticated) {
		http.Redirect(w, r, "/sign-in?next=/sharing/plain", http.StatusSeeOther)
		return
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	a.showSharing(w, r, who, http.StatusOK, "", "")
}

func (a *app) showSharing(w http.ResponseWriter, r *http.Request, who account.Actor, status int, said, failure string) {
	p := page{Title: "Sharing", Failure: failure}
	p.Said = said
	var err error
	if p.sharingPart, err = a.sharingOf(r, who); err != nil {
		a.refuse(w, r, err)
		return
	}
	a.writePage(w, status, "sharing", p)
}

func (a *app) sharingOf(r *http.Request, who account.Actor) (p sharingPart, err error) {
	ctx, svc := r.Context(), a.o.Calendar
	p.Days = store.HistoryDays
	p.Kinds = kinds()
	own, err := svc.Collections(ctx, who, who.Account)
	if err != nil {
		return p, err
	}
	feeds, err := svc.Feeds(ctx, who, who.Account, "")
	if err != nil {
		return p, err
	}
	for _, v := range own {
		if v.Kind != store.Calendar {
			continue
		}
		c := ownCalendar{Name: v.Name, Title: calendarOf(v).DisplayName}
		shares, err := svc.Shares(ctx, who, who.Account, v.Name)
		if err != nil {
			return p, err
		}
		for _, s := range shares {
			c.Shares = append(c.Shares, wordedPerson{s.Name, nameOf(s.Account), s.Access.String(), accessSentences[s.Access], s.State == store.MountInvited, s.State == store.MountDeclined})
		}
		for _, f := range feeds {
			if f.Collection != v.ID {
				continue
			}
			url, webcal := feedURLs(a.base(r), f.Token)
			words := "all but what is private"
			if f.Detail == calendar.FeedBusy {
				words = "busy time"
			}
			c.Feeds = append(c.Feeds, publicAddress{f.ID, url, webcal, words, f.Created.Format(time.DateOnly)})
		}
		p.Own = append(p.Own, c)
	}
	for _, access := range []acl.Access{acl.Act, acl.Read} {
		list, err := svc.Proxies(ctx, who, who.Account, access)
		if err != nil {
			return p, err
		}
		words := map[acl.Access]string{acl.Act: "acts for you", acl.Read: "reads all calendars"}[access]
		for _, x := range list {
			p.Proxies = append(p.Proxies, wordedPerson{Name: x.Name, DisplayName: nameOf(x), Access: access.String(), Words: words})
		}
	}
	theirs := func(list []calendar.CollectionView) (out []theirCalendar) {
		for _, v := range list {
			out = append(out, theirCalendar{v.Owner.Name, v.ID, nameOf(v.Owner), calendarOf(v).DisplayName, accessSentences[v.Access]})
		}
		return out
	}
	shared, err := svc.SharedWith(ctx, who)
	if err != nil {
		return p, err
	}
	invited, err := svc.Invitations(ctx, who)
	if err != nil {
		return p, err
	}
	p.Shared, p.Invited = theirs(shared), theirs(invited)
	subscriptions, err := svc.Subscriptions(ctx, who, who.Account)
	if err != nil {
		return p, err
	}
	for _, s := range subscriptions {
		age := "not fetched yet"
		if !s.Refreshed.IsZero() {
			age = "as of " + sinceThen(s.Refreshed)
		}
		p.Followed = append(p.Followed, followedCalendar{s.Collection, s.Calendar.Name, s.Calendar.DisplayName, s.URL, age, s.Error})
	}
	history, err := svc.History(ctx, who, who.Account, calendar.HistoryFilter{Limit: shownHistory})
	for _, v := range history {
		e := earlier{Object: v.Object, Seq: v.Seq, When: sinceThen(v.Replaced), Title: v.Summary, Calendar: v.Calendar, Became: "changed", Button: "Set back to before"}
		if e.Title == "" {
			e.Title = v.Component
		}
		if v.Deleted {
			e.Became, e.Button = "deleted", "Bring it back"
		}
		p.History = append(p.History, e)
	}
	return p, err
}

// maxSharingForm bounds a form of the page, octets.
const maxSharingForm = 64 << 10

func (a *app) postSharing(w http.ResponseWriter, r *http.Request) {
	who, err := a.session(r)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxSharingForm)
	if err := r.ParseForm(); err != nil {
		a.showSharing(w, r, who, http.StatusBadRequest, "", "The form could not be read; send it again.")
		return
	}
	said, err := a.changeSharing(r, who)
	if err != nil {
		refusal := problem.Of(err)
		if refusal.Condition == problem.Internal {
			a.log.Error("sharing", "error", err)
		}
		a.showSharing(w, r, who, http.StatusUnprocessableEntity, "", refusal.Sentence)
		return
	}
	a.showSharing(w, r, who, http.StatusOK, said, "")
}

// changeSharing does what a button of the page says.
func (a *app) changeSharing(r *http.Request, who account.Actor) (string, error) {
	ctx, svc, form := r.Context(), a.o.Calendar, r.PostForm
	me, name := who.Account, form.Get("calendar")
	number := func(field string) int64 {
		n, _ := strconv.ParseInt(form.Get(field), 10, 64) // one that is none finds nothing
		return n
	}
	do := form.Get("do")
	switch do {
	case "share", "unshare":
		other, err := svc.Sharee(ctx, strings.TrimSpace(form.Get("who")))
		if err != nil {
			return "", err
		}
		if do == "unshare" {
			return "It is shared with " + nameOf(other) + " no longer.", svc.Unshare(ctx, who, me, name, other.ID)
		}
		access, err := acl.Parse(form.Get("access"))
		if err != nil {
			return "", err
		}
		return "It is shared with " + nameOf(other) + ".", svc.Share(ctx, who, me, name, other.ID, access)
	case "act", "watch", "dismiss":
		access := acl.Act
		if do == "watch" || do == "dismiss" && form.Get("access") == acl.Read.String() {
			access = acl.Read
		}
		return "Done.", a.setProxy(r, who, form.Get("who"), access, do != "dismiss")
	case "publish-full", "publish-busy":
		_, err := svc.PublishFeed(ctx, who, me, name, strings.TrimPrefix(do, "publish-"), "")
		return "There is a new public address. Whoever has it can read.", err
	case "end-feed":
		return "The public address has ended.", svc.EndFeed(ctx, who, me, number("feed"))
	case "accept", "decline":
		owner, err := a.o.Accounts.ByName(ctx, form.Get("owner"))
		if err != nil {
			return "", err
		}
		return "Done.", svc.AnswerShare(ctx, who, owner.ID, number("id"), do == "accept")
	case "follow":
		return "The calendar is fetched within a minute.", a.follow(r, who, form.Get("url"))
	case "refresh":
		return "It is fetched within a minute.", svc.RefreshSoon(ctx, who, me, number("id"))
	case "unfollow":
		return "It is followed no longer.", svc.DeleteCollection(ctx, calendar.DeleteCollectionRequest{By: who, Owner: me, Collection: name})
	case "restore":
		res, err := svc.Restore(ctx, who, me, number("object"), number("seq"))
		return fmt.Sprintf("%s is as it was.", res.Object.Summary), err
	}
	return "", problem.New(problem.BadInput, "The page has no such button; load it again.")
}
