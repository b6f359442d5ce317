package web

import (
	"cmp"
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// about names an event of a home, or one occurrence of it.
type about struct {
	Owner      string `json:"owner"`
	UID        string `json:"uid"`
	Occurrence string `json:"occurrence"`
}

// wallIn reads a clock reading, or a date, of the zone the request names.
func wallIn(text, what string, z *tz.Zone) (ical.Time, error) {
	if text == "" {
		return ical.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return ical.Time{Wall: day, Kind: ical.Date}, nil
	}
	wall, err := time.Parse(wallFormat, text)
	switch {
	case err != nil:
		return ical.Time{}, problem.New(problem.BadInput, "The %s %q is not a date with a time.", what, text)
	case z.Name() == "UTC" || z.Name() == "":
		return ical.UTCTime(wall), nil
	}
	return ical.Time{Wall: wall, Kind: ical.Zoned, TZID: z.Name()}, nil
}

func (a *app) postPropose(r *request) (any, error) {
	var q struct {
		about
		Start    string  `json:"start"`
		End      string  `json:"end"`
		Location *string `json:"location"`
		Comment  string  `json:"comment"`
	}
	if err := r.read(&q); err != nil {
		return nil, err
	}
	owner, err := a.owner(r, q.Owner)
	if err != nil {
		return nil, err
	}
	z, err := a.zone(r, r.URL.Query().Get("zone"))
	if err != nil {
		return nil, err
	}
	p := itip.Proposal{RecurrenceID: q.Occurrence, Location: q.Location, Comment: strings.TrimSpace(q.Comment)}
	if p.Start, err = wallIn(q.Start, "start", z); err != nil {
		return nil, err
	}
	if p.End, err = wallIn(q.End, "end", z); err != nil {
		return nil, err
	}
	sent, err := a.o.Calendar.Propose(r.ctx(), calendar.ProposeRequest{By: r.who, Owner: owner, UID: q.UID, Proposal: p})
	return a.told(sent, z, err)
}

// told puts what was sent on the wire.
func (a *app) told(sent []calendar.Sent, z *tz.Zone, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return sendings(calendar.PutResult{Sent: sent}, z), nil
}

func (a *app) postRefresh(r *request) (any, error) {
	var q about
	if err := r.read(&q); err != nil {
		return nil, err
	}
	owner, err := a.owner(r, q.Owner)
	if err != nil {
		return nil, err
	}
	sent, err := a.o.Calendar.Refresh(r.ctx(), calendar.RefreshRequest{By: r.who, Owner: owner, UID: q.UID, RecurrenceID: q.Occurrence})
	return a.told(sent, tz.UTC, err)
}

func (a *app) postPublish(r *request) (any, error) {
	return a.sendTo(r, func(owner store.AccountID, q about, to []ical.Address) ([]calendar.Sent, error) {
		return a.o.Calendar.Publish(r.ctx(), calendar.PublishRequest{By: r.who, Owner: owner, UID: q.UID, To: to})
	})
}

func (a *app) postForward(r *request) (any, error) {
	return a.sendTo(r, func(owner store.AccountID, q about, to []ical.Address) ([]calendar.Sent, error) {
		return a.o.Calendar.Forward(r.ctx(), calendar.ForwardRequest{By: r.who, Owner: owner, UID: q.UID, To: to})
	})
}

func (a *app) sendTo(r *request, how func(store.AccountID, about, []ical.Address) ([]calendar.Sent, error)) (any, error) {
	var q struct {
		about
		To []string `json:"to"`
	}
	if err := r.read(&q); err != nil {
		return nil, err
	}
	owner, err := a.owner(r, q.Owner)
	if err != nil {
		return nil, err
	}
	var to []ical.Address
	for _, x := range q.To {
		to = append(to, ical.ParseAddress(x))
	}
	sent, err := how(owner, q.about, to)
	return a.told(sent, tz.UTC, err)
}

func (a *app) postDelegate(r *request) (any, error) {
	var q struct {
		about
		To           string `json:"to"`
		KeepInformed bool   `json:"keepInformed"`
	}
	if err := r.read(&q); err != nil {
		return nil, err
	}
	owner, err := a.owner(r, q.Owner)
	if err != nil {
		return nil, err
	}
	res, err := a.o.Calendar.Delegate(r.ctx(), calendar.DelegateRequest{By: r.who, Owner: owner, UID: q.UID, RecurrenceID: q.Occurrence, To: ical.ParseAddress(q.To), KeepInformed: q.KeepInformed})
	return a.told(res.Sent, tz.UTC, err)
}

// undoOnWire says whether the latest change of an event can be taken back.
type undoOnWire struct {
	Seconds int `json:"seconds"` // 0: it cannot
}

func (a *app) getUndo(r *request) (any, error) {
	owner, err := a.owner(r, r.URL.Query().Get("owner"))
	if err != nil {
		return nil, err
	}
	if owner != r.who.Account {
		return undoOnWire{}, nil
	}
	until, ok, err := a.o.Calendar.Undoable(r.ctx(), r.who, owner, r.URL.Query().Get("uid"))
	if err != nil || !ok {
		return undoOnWire{}, err
	}
	return undoOnWire{Seconds: int(max(0, until.Sub(a.now())/time.Second))}, nil
}

func (a *app) postUndo(r *request) (any, error) {
	var q about
	if err := r.read(&q); err != nil {
		return nil, err
	}
	owner, err := a.owner(r, q.Owner)
	if err != nil {
		return nil, err
	}
	u, err := a.o.Calendar.Undo(r.ctx(), r.who, owner, q.UID)
	if err != nil {
		return nil, err
	}
	return map[string]any{"sentence": u.Sentence, "withdrawn": u.Withdrawn}, nil
}

// preferencesOnWire are how a person's scheduling goes, and who may act for whom.
type preferencesOnWire struct {
	UndoSeconds     *int              `json:"undoSeconds"` // null: as the service does
	TellBusy        []string          `json:"tellBusy"`
	NewSeries       []string          `json:"newSeries"`
	DeleteCancelled bool              `json:"deleteCancelled"`
	Delegation      bool              `json:"delegation"` // guests may send others in their place
	Crashers        string            `json:"crashers"`   // what becomes of answers by people who were not invited: ask, admit, refuse, ignore
	HidePrivate     bool              `json:"hidePrivate"`
	SignMail        *bool             `json:"signMail"`    // null: as the service does
	EncryptMail     string            `json:"encryptMail"` // never, when-possible, always; "" as the service does
	Designates      []designateOnWire `json:"designates"`
}

type designateOnWire struct {
	Address string `json:"address"`
	For     string `json:"for"` // empty: for oneself
}

func (d designateOnWire) read() calendar.Designate {
	out := calendar.Designate{Address: ical.ParseAddress(d.Address)}
	if d.For != "" {
		out.Principal = ical.ParseAddress(d.For)
	}
	return out
}

func (a *app) getPreferences(r *request) (any, error) {
	p, err := a.o.Calendar.Preferences(r.ctx(), r.who, r.who.Account)
	if err != nil {
		return nil, err
	}
	list, err := a.o.Calendar.Designates(r.ctx(), r.who, r.who.Account)
	if err != nil {
		return nil, err
	}
	out := preferencesOnWire{TellBusy: append([]string{}, p.TellBusy...), NewSeries: append([]string{}, p.NewSeries...), Delegation: !p.NoDelegation, Crashers: cmp.Or(string(p.Crashers), "ask"), DeleteCancelled: p.DeleteCancelled, HidePrivate: p.HidePrivate, SignMail: p.SignMail, EncryptMail: p.EncryptMail, Designates: []designateOnWire{}}
	if p.UndoWindow != nil {
		out.UndoSeconds = new(int(*p.UndoWindow / time.Second))
	}
	for _, d := range list {
		out.Designates = append(out.Designates, designateOnWire{d.Address.Email(), d.Principal.Email()})
	}
	return out, nil
}

// unsaid is no number of seconds that a request would name.
const unsaid = math.MinInt

// putPreferences changes what the request names; the rest stays.
func (a *app) putPreferences(r *request) (any, error) {
	var q struct {
		UndoSeconds     *int            `json:"undoSeconds"`
		TellBusy        *[]string       `json:"tellBusy"`
		NewSeries       *[]string       `json:"newSeries"`
		DeleteCancelled *bool           `json:"deleteCancelled"`
		Delegation      *bool           `json:"delegation"`
		Crashers        *string         `json:"crashers"` // ask, admit, refuse, ignore
		HidePrivate     *bool           `json:"hidePrivate"`
		SignMail        json.RawMessage `json:"signMail"` // null is a value: as the service does
		EncryptMail     *string         `json:"encryptMail"`
	}
	q.UndoSeconds = new(unsaid)
	if err := r.read(&q); err != nil {
		return nil, err
	}
	p, err := a.o.Calendar.Preferences(r.ctx(), r.who, r.who.Account)
	if err != nil {
		return nil, err
	}
	switch {
	case q.UndoSeconds == nil:
		p.UndoWindow = nil
	case *q.UndoSeconds != unsaid:
		seconds := min(max(*q.UndoSeconds, -1), int(time.Hour/time.Second)) // what is out of range is refused below, not overflown
		p.UndoWindow = new(time.Duration(seconds) * time.Second)
	}
	if q.TellBusy != nil {
		p.TellBusy = *q.TellBusy
	}
	if q.DeleteCancelled != nil {
		p.DeleteCancelled = *q.DeleteCancelled
	}
	if q.NewSeries != nil {
		p.NewSeries = *q.NewSeries
	}
	if q.SignMail != nil {
		p.SignMail = nil
		if err := json.Unmarshal(q.SignMail, &p.SignMail); err != nil {
			return nil, problem.New(problem.BadInput, "signMail is true, false or null.")
		}
	}
	if q.HidePrivate != nil {
		p.HidePrivate = *q.HidePrivate
	}
	if q.Delegation != nil {
		p.NoDelegation = !*q.Delegation
	}
	if q.Crashers != nil {
		p.Crashers = itip.CrasherPolicy(strings.TrimPrefix(*q.Crashers, "ask"))
	}
	if q.EncryptMail != nil {
		p.EncryptMail = *q.EncryptMail
	}
	if err := a.o.Calendar.SetPreferences(r.ctx(), r.who, r.who.Account, p); err != nil {
		return nil, err
	}
	return a.getPreferences(r)
}

func (a *app) postDesignate(r *request) (any, error) {
	var d designateOnWire
	if err := r.read(&d); err != nil {
		return nil, err
	}
	if err := a.o.Calendar.AllowDesignate(r.ctx(), r.who, r.who.Account, d.read()); err != nil {
		return nil, err
	}
	return a.getPreferences(r)
}

func (a *app) deleteDesignate(r *request) (any, error) {
	q := r.URL.Query()
	d := designateOnWire{q.Get("address"), q.Get("for")}
	if err := a.o.Calendar.ForbidDesignate(r.ctx(), r.who, r.who.Account, d.read()); err != nil {
		return nil, err
	}
	return a.getPreferences(r)
}

// roomOnWire is a room or resource with its policy.
type roomOnWire struct {
	Name        string       `json:"name"`
	DisplayName string       `json:"displayName"`
	Address     string       `json:"address"`
	Kind        string       `json:"kind"`
	MayChange   bool         `json:"mayChange"`
	Policy      policyOnWire `json:"policy"`
}

// policyOnWire is a booking policy; spans are in minutes, 0 = no bound.
type policyOnWire struct {
	Open        []string `json:"open"` // "mon-fri 08:00-18:00"; none: always
	Ahead       int      `json:"ahead"`
	Notice      int      `json:"notice"`
	Shortest    int      `json:"shortest"`
	Longest     int      `json:"longest"`
	Capacity    int      `json:"capacity"`
	Conflicts   int      `json:"conflicts"`
	Overlapping int      `json:"overlapping"`
	Endless     bool     `json:"endless"`
	Tentative   bool     `json:"tentative"`
	Organizers  []string `json:"organizers"`
	Domains     []string `json:"domains"`
	Approvers   []string `json:"approvers"`
}

func policyOf(p itip.RoomPolicy) policyOnWire {
	list := func(l []string) []string { return append([]string{}, l...) }
	in := func(d time.Duration) int { return int(d / time.Minute) }
	return policyOnWire{list(calendar.HoursText(p.Open)), in(p.Ahead), in(p.Notice), in(p.Shortest), in(p.Longest), p.Capacity, p.Conflicts, p.Overlapping,
		p.EndlessAllowed, p.Tentative, list(p.Organizers), list(p.Domains), list(p.Approvers)}
}

// maxMinutes of a policy's span: a century, so that nothing overflows.
const maxMinutes = 100 * 366 * 24 * 60

func (p policyOnWire) read() (itip.RoomPolicy, error) {
	span := func(n int) time.Duration { return time.Duration(min(max(n, -1), maxMinutes)) * time.Minute }
	out := itip.RoomPolicy{Ahead: span(p.Ahead), Notice: span(p.Notice), Shortest: span(p.Shortest), Longest: span(p.Longest), Capacity: p.Capacity, Conflicts: p.Conflicts,
		Overlapping: p.Overlapping, EndlessAllowed: p.Endless, Tentative: p.Tentative, Organizers: p.Organizers, Domains: p.Domains, Approvers: p.Approvers}
	var err error
	out.Open, err = calendar.ParseHours(p.Open)
	return out, err
}

// maxRooms listed at once.
const maxRooms = 500

func (a *app) getRooms(r *request) (any, error) {
	out := []roomOnWire{}
	for after := ""; len(out) < maxRooms; {
		page, err := a.o.Accounts.List(r.ctx(), after, maxRooms)
		if err != nil || len(page) == 0 {
			return out, err
		}
		for _, x := range page {
			after = x.Name
			if x.Kind != store.Room && x.Kind != store.Resource || x.Disabled || len(out) == maxRooms {
				continue
			}
			room, err := a.room(r, x)
			if err != nil {
				return nil, err
			}
			out = append(out, room)
		}
	}
	return out, nil
}

func (a *app) room(r *request, x store.Account) (roomOnWire, error) {
	out := roomOnWire{Name: x.Name, DisplayName: nameOf(x), Kind: x.Kind}
	addresses, err := a.o.Accounts.Addresses(r.ctx(), x.ID)
	if err != nil {
		return out, err
	}
	if len(addresses) > 0 {
		out.Address = addresses[0].Email()
	}
	p, err := a.o.Calendar.BookingPolicy(r.ctx(), r.who, x.ID)
	if err != nil {
		return out, err
	}
	out.Policy = policyOf(p)
	out.MayChange, err = a.o.Calendar.MaySetPolicy(r.ctx(), r.who, x.ID)
	return out, err
}

func (a *app) putRoom(r *request) (any, error) {
	var q policyOnWire
	if err := r.read(&q); err != nil {
		return nil, err
	}
	x, err := a.o.Accounts.ByName(r.ctx(), r.PathValue("room"))
	if err != nil {
		return nil, err
	}
	p, err := q.read()
	if err != nil {
		return nil, err
	}
	if err := a.o.Calendar.SetBookingPolicy(r.ctx(), r.who, x.ID, p); err != nil {
		return nil, err
	}
	return a.room(r, x)
}
