package web

import (
	"context"
	"crypto/rand"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// sharesOnWire is who sees one of the person's calendars.
type sharesOnWire struct {
	Kinds  []kindOnWire  `json:"kinds"` // what can be granted
	Shares []shareOnWire `json:"shares"`
	Feeds  []feedOnWire  `json:"feeds"`
}

type kindOnWire struct {
	Access string `json:"access"`
	Text   string `json:"text"`
}

type shareOnWire struct {
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
	Kind        string `json:"kind"`
	Access      string `json:"access"`
	State       string `json:"state"` // invited, accepted, declined
}

// feedOnWire is a public address of a calendar.
type feedOnWire struct {
	ID      int64  `json:"id"`
	URL     string `json:"url"`
	Webcal  string `json:"webcal"`
	Detail  string `json:"detail"` // full, busy
	Created string `json:"created"`
}

func kinds() (out []kindOnWire) {
	for _, word := range acl.Kinds() {
		if level, err := acl.Parse(word); err == nil { // one of its own words
			out = append(out, kindOnWire{word, accessSentences[level]})
		}
	}
	return out
}

// feedURLs are the addresses of a feed, for a browser and for a calendar program.
func feedURLs(base, token string) (url, webcal string) {
	url = base + "/feeds/" + token + ".ics"
	_, rest, _ := strings.Cut(url, "://")
	return url, "webcal://" + rest
}

func (a *app) getShares(r *request) (any, error) {
	owner, err := a.owner(r, r.PathValue("owner"))
	if err != nil {
		return nil, err
	}
	name := r.PathValue("calendar")
	list, err := a.o.Calendar.Shares(r.ctx(), r.who, owner, name)
	if err != nil {
		return nil, err
	}
	feeds, err := a.o.Calendar.Feeds(r.ctx(), r.who, owner, name)
	if err != nil {
		return nil, err
	}
	out := sharesOnWire{Kinds: kinds(), Shares: []shareOnWire{}, Feeds: []feedOnWire{}}
	for _, s := range list {
		out.Shares = append(out.Shares, shareOnWire{s.Name, nameOf(s.Account), s.Kind, s.Access.String(), s.State})
	}
	for _, f := range feeds {
		x := feedOnWire{ID: f.ID, Detail: f.Detail, Created: instant(f.Created)}
		x.URL, x.Webcal = feedURLs(a.base(r.Request), f.Token)
		out.Feeds = append(out.Feeds, x)
	}
	return out, nil
}

func (a *app) postShare(r *request) (any, error) {
	var q struct {
		Who    string `json:"who"`
		Access string `json:"access"`
		Ask    bool   `json:"ask"` // by invitation: it is among their calendars once they accept
	}
	if err := r.read(&q); err != nil {
		return nil, err
	}
	owner, err := a.owner(r, r.PathValue("owner"))
	if err != nil {
		return nil, err
	}
	access, err := acl.Parse(q.Access)
	if err != nil {
		return nil, err
	}
	other, err := a.o.Calendar.Sharee(r.ctx(), strings.TrimSpace(q.Who))
	if err != nil {
		return nil, err
	}
	if other.ID == owner {
		return nil, problem.New(problem.BadInput, "The calendar is %s's own.", nameOf(other))
	}
	name := r.PathValue("calendar")
	if q.Ask && other.Kind != store.Group && other.ID != store.Everyone { // those have no answer to give
		err = a.o.Calendar.Invite(r.ctx(), r.who, owner, name, []calendar.Invitee{{Account: other.ID, Access: access}}, nil)
	} else {
		err = a.o.Calendar.Share(r.ctx(), r.who, owner, name, other.ID, access)
	}
	if err != nil {
		return nil, err
	}
	return a.getShares(r)
}

func (a *app) deleteShare(r *request) (any, error) {
	owner, err := a.owner(r, r.PathValue("owner"))
	if err != nil {
		return nil, err
	}
	other, err := a.o.Calendar.Sharee(r.ctx(), r.URL.Query().Get("who"))
	if err != nil {
		return nil, err
	}
	if err := a.o.Calendar.Unshare(r.ctx(), r.who, owner, r.PathValue("calendar"), other.ID); err != nil {
		return nil, err
	}
	return a.getShares(r)
}

func (a *app) postFeed(r *request) (any, error) {
	var q struct {
		Detail string `json:"detail"`
	}
	if err := r.read(&q); err != nil {
		return nil, err
	}
	owner, err := a.owner(r, r.PathValue("owner"))
	if err != nil {
		return nil, err
	}
	if _, err := a.o.Calendar.PublishFeed(r.ctx(), r.who, owner, r.PathValue("calendar"), q.Detail, ""); err != nil {
		return nil, err
	}
	return a.getShares(r)
}

func (a *app) deleteFeed(r *request) (any, error) {
	owner, err := a.owner(r, r.PathValue("owner"))
	if err != nil {
		return nil, err
	}
	id, err := r.number("id")
	if err != nil {
		return nil, err
	}
	if err := a.o.Calendar.EndFeed(r.ctx(), r.who, owner, id); err != nil {
		return nil, err
	}
	return a.getShares(r)
}

// number is a whole number of the query.
func (r *request) number(name string) (int64, error) {
	n, err := strconv.ParseInt(r.URL.Query().Get(name), 10, 64)
	if err != nil {
		return 0, problem.New(problem.BadInput, "%s must be a number.", name)
	}
	return n, nil
}

// offeredOnWire is somebody's calendar that the person was invited to.
type offeredOnWire struct {
	Owner       string `json:"owner"`
	OwnerName   string `json:"ownerName"`
	ID          int64  `json:"id"`
	DisplayName string `json:"displayName"`
	Mode        string `json:"mode"` // what they may do with it
}

// offered lists the calendars that wait for the person's yes or no.
func (a *app) offered(r *request) ([]offeredOnWire, error) {
	list, err := a.o.Calendar.Invitations(r.ctx(), r.who)
	out := []offeredOnWire{}
	for _, v := range list {
		out = append(out, offeredOnWire{v.Owner.Name, nameOf(v.Owner), v.ID, calendarOf(v).DisplayName, v.Access.String()})
	}
	return out, err
}

func (a *app) getOffered(r *request) (any, error) { return a.offered(r) }

// postShared takes an offered calendar, or turns it down, or takes one that is
// there off the list.
func (a *app) postShared(r *request) (any, error) {
	var q struct {
		Owner  string `json:"owner"`
		ID     int64  `json:"id"`
		Accept bool   `json:"accept"`
	}
	if err := r.read(&q); err != nil {
		return nil, err
	}
	owner, err := a.owner(r, q.Owner)
	if err != nil {
		return nil, err
	}
	return nil, a.o.Calendar.AnswerShare(r.ctx(), r.who, owner, q.ID, q.Accept)
}

// proxiesOnWire are the people who act for the person in all calendars, or read
// them all.
type proxiesOnWire struct {
	Act  []proxyOnWire `json:"act"`
	Read []proxyOnWire `json:"read"`

	// Whom the configuration of the site lets in, and when they were there.
	Overseers []overseerOnWire `json:"overseers"`
	Visits    []visitOnWire    `json:"visits"`
}

type overseerOnWire struct {
	proxyOnWire
	Access string `json:"access"` // act, read
}

type visitOnWire struct {
	Hour    string `json:"hour"` // its beginning
	By      string `json:"by"`
	Changed bool   `json:"changed"` // or only read
}

type proxyOnWire struct {
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
}

func (a *app) getProxies(r *request) (any, error) {
	out := proxiesOnWire{Act: []proxyOnWire{}, Read: []proxyOnWire{}, Overseers: []overseerOnWire{}, Visits: []visitOnWire{}}
	for access, into := range map[acl.Access]*[]proxyOnWire{acl.Act: &out.Act, acl.Read: &out.Read} {
		list, err := a.o.Calendar.Proxies(r.ctx(), r.who, r.who.Account, access)
		if err != nil {
			return nil, err
		}
		for _, x := range list {
			*into = append(*into, proxyOnWire{x.Name, nameOf(x)})
		}
	}
	overseers, err := a.o.Calendar.Overseers(r.ctx())
	if err != nil {
		return nil, err
	}
	for _, x := range overseers {
		out.Overseers = append(out.Overseers, overseerOnWire{proxyOnWire{x.Name, nameOf(x.Account)}, x.Access.String()})
	}
	visits, err := a.o.Calendar.Visits(r.ctx(), r.who, r.who.Account)
	if err != nil {
		return nil, err
	}
	for _, v := range visits {
		out.Visits = append(out.Visits, visitOnWire{instant(v.At), v.Visitor, v.Changed})
	}
	return out, nil
}

func (a *app) postProxy(r *request) (any, error) {
	var q struct {
		Who    string `json:"who"`
		Access string `json:"access"`
	}
	if err := r.read(&q); err != nil {
		return nil, err
	}
	return a.proxy(r, q.Who, q.Access, true)
}

func (a *app) deleteProxy(r *request) (any, error) {
	return a.proxy(r, r.URL.Query().Get("who"), r.URL.Query().Get("access"), false)
}

func (a *app) proxy(r *request, who, access string, on bool) (any, error) {
	level, err := acl.Parse(access)
	if err == nil && level != acl.Act && level != acl.Read {
		err = problem.New(problem.BadInput, "Somebody acts for you in all calendars (act), or reads them all (read); %q is neither.", access)
	}
	if err != nil {
		return nil, err
	}
	if err := a.setProxy(r.Request, r.who, who, level, on); err != nil {
		return nil, err
	}
	return a.getProxies(r)
}

// setProxy puts a person on the list of those who act, or read, for the user,
// or takes them off.
func (a *app) setProxy(r interface{ Context() context.Context }, by account.Actor, who string, access acl.Access, on bool) error {
	other, err := a.o.Accounts.Find(r.Context(), strings.TrimSpace(who))
	if err != nil {
		return err
	}
	list, err := a.o.Calendar.Proxies(r.Context(), by, by.Account, access)
	if err != nil {
		return err
	}
	var ids []store.AccountID
	for _, p := range list {
		if p.ID != other.ID {
			ids = append(ids, p.ID)
		}
	}
	if on {
		ids = append(ids, other.ID)
	}
	return a.o.Calendar.SetProxies(r.Context(), by, by.Account, access, ids)
}

// followedOnWire is a calendar that follows an address on the web.
type followedOnWire struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
	URL         string `json:"url"`
	Refreshed   string `json:"refreshed"` // "" for never
	Next        string `json:"next"`
	Error       string `json:"error"`
}

func (a *app) getFollowed(r *request) (any, error) {
	list, err := a.o.Calendar.Subscriptions(r.ctx(), r.who, r.who.Account)
	out := []followedOnWire{}
	for _, s := range list {
		out = append(out, followedOnWire{s.Collection, s.Calendar.Name, s.Calendar.DisplayName, s.URL, instant(s.Refreshed), instant(s.Due), s.Error})
	}
	return out, err
}

// follow subscribes to an address under a name that is nobody's guess.
func (a *app) follow(r interface{ Context() context.Context }, by account.Actor, url string) error {
	_, err := a.o.Calendar.Subscribe(r.Context(), calendar.SubscribeRequest{By: by, Owner: by.Account, Name: "subscribed-" + strings.ToLower(rand.Text()[:8]), URL: url})
	return err
}

func (a *app) postFollowed(r *request) (any, error) {
	var q struct {
		URL string `json:"url"`
	}
	if err := r.read(&q); err != nil {
		return nil, err
	}
	if err := a.follow(r, r.who, q.URL); err != nil {
		return nil, err
	}
	return a.getFollowed(r)
}

func (a *app) refreshFollowed(r *request) (any, error) {
	id, err := r.id("calendar")
	if err != nil {
		return nil, err
	}
	if err := a.o.Calendar.RefreshSoon(r.ctx(), r.who, r.who.Account, id); err != nil {
		return nil, err
	}
	return a.getFollowed(r)
}

// versionOnWire is an earlier state of an event.
type versionOnWire struct {
	Object   int64  `json:"object"`
	Seq      int64  `json:"seq"`
	UID      string `json:"uid"`
	Summary  string `json:"summary"`
	Calendar string `json:"calendar"` // display name; "" when the calendar is gone
	Replaced string `json:"replaced"`
	Deleted  bool   `json:"deleted"`
	When     string `json:"when"` // when it took place, in words; "" where that cannot be told
}

func (a *app) getHistory(r *request) (any, error) {
	q := r.URL.Query()
	f := calendar.HistoryFilter{Collection: q.Get("calendar"), UID: q.Get("uid"), Deleted: q.Get("deleted") != "", Limit: shownHistory}
	list, err := a.o.Calendar.History(r.ctx(), r.who, r.who.Account, f)
	if err != nil {
		return nil, err
	}
	z, err := a.zone(r, q.Get("zone"))
	if err != nil {
		return nil, err
	}
	out := []versionOnWire{}
	for _, v := range list {
		x := versionOnWire{Object: v.Object, Seq: v.Seq, UID: v.UID, Summary: v.Summary, Calendar: v.Calendar, Replaced: instant(v.Replaced), Deleted: v.Deleted}
		if f.UID != "" { // of one event, the times are what tells its versions apart
			if body, err := a.o.Calendar.HistoryText(r.ctx(), r.who, r.who.Account, v.Object, v.Seq); err == nil {
				x.When = whenOf(body, z)
			}
		}
		out = append(out, x)
	}
	return struct {
		Days     int             `json:"days"` // how long they are kept
		Versions []versionOnWire `json:"versions"`
	}{store.HistoryDays, out}, nil
}

func (a *app) postRestore(r *request) (any, error) {
	var q struct {
		Object int64 `json:"object"`
		Seq    int64 `json:"seq"`
	}
	if err := r.read(&q); err != nil {
		return nil, err
	}
	res, err := a.o.Calendar.Restore(r.ctx(), r.who, r.who.Account, q.Object, q.Seq)
	if err != nil {
		return nil, err
	}
	return map[string]any{"summary": res.Object.Summary, "sent": told(res.Sent)}, nil
}

// sinceThen is how a page without script tells a moment.
func sinceThen(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") + " UTC" }
