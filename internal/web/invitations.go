package web

import (
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// invitationOnWire is an event, or one occurrence of it, that waits for an answer.
type invitationOnWire struct {
	place
	UID         string   `json:"uid"`
	Occurrence  string   `json:"occurrence"`
	Summary     string   `json:"summary"`
	Location    string   `json:"location"`
	Description string   `json:"description"`
	Start       string   `json:"start"`
	End         string   `json:"end"`
	AllDay      bool     `json:"allDay"`
	RuleText    string   `json:"ruleText"`
	Organizer   *person  `json:"organizer"`
	PartStat    string   `json:"partstat"`
	Conflicts   []string `json:"conflicts"` // titles of what takes place at the same time

	Security *securityOnWire `json:"security"` // of the message it came with; null where none is known

	from, to time.Time
}

// pending lists what waits for the person's answer and is not over, soonest first.
func (a *app) pending(r *request, z *tz.Zone) ([]invitationOnWire, error) {
	mine, err := a.o.Accounts.Addresses(r.ctx(), r.who.Account)
	if err != nil {
		return nil, err
	}
	views, err := a.o.Calendar.Collections(r.ctx(), r.who, r.who.Account)
	if err != nil {
		return nil, err
	}
	own := map[string]bool{}
	for _, m := range mine {
		own[m.Key()] = true
	}
	out := []invitationOnWire{}
	for _, v := range views {
		if v.Kind != store.Calendar {
			continue
		}
		err := a.o.Calendar.Query(r.ctx(), r.who, v.Account, []string{v.Name}, "VEVENT", a.now(), time.Time{}, func(o store.Object, text []byte) error {
			if o.Scheduling && !own[o.Organizer] {
				out = append(out, a.unanswered(o, text, v, mine, z)...)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(out, func(x, y invitationOnWire) int { return x.from.Compare(y.from) })
	return out, nil
}

// unanswered is what of one object waits for an answer: the whole, or, where
// the whole is answered, single occurrences.
func (a *app) unanswered(o store.Object, text []byte, v calendar.CollectionView, mine []ical.Address, z *tz.Zone) []invitationOnWire {
	e, err := openEvent(text, z)
	if err != nil {
		return nil // what cannot be read is shown, as such, in the calendar
	}
	waits := func(c *ical.Component) bool {
		me, ok := among(c, mine)
		return ok && me.PartStat == "NEEDS-ACTION" && !strings.EqualFold(c.Value("STATUS"), "CANCELLED") && !organizes(c, mine)
	}
	describe := func(c *ical.Component, occ recur.Occurrence, id string) invitationOnWire {
		i := invitationOnWire{
			place: place{v.Owner.Name, v.Name, o.Name}, UID: o.UID, Occurrence: id,
			Summary: c.Text("SUMMARY"), Location: c.Text("LOCATION"), Description: c.Text("DESCRIPTION"),
			PartStat: "NEEDS-ACTION", Conflicts: []string{}, from: occ.From, to: occ.To,
		}
		i.Start, i.End, i.AllDay = e.span(occ)
		if org, ok := itip.Organizer(c); ok {
			p := personOf(org)
			i.Organizer = &p
		}
		return i
	}
	now := a.now()
	if m := e.cal.Master(); m != nil && waits(m) {
		for occ := range e.set.Between(now, time.Time{}) {
			i := describe(m, occ, "")
			i.RuleText = ruleText(m)
			return []invitationOnWire{i}
		}
		return nil // it is over
	}
	var out []invitationOnWire
	for _, c := range e.cal.Overrides() {
		if !waits(c) {
			continue
		}
		id, err := c.Prop("RECURRENCE-ID").Time()
		if err != nil {
			continue
		}
		if occ, ok := e.set.Find(id); ok && occ.To.After(now) {
			out = append(out, describe(c, occ, e.occurrenceID(occ)))
		}
	}
	return out
}

func (a *app) getInvitations(r *request) (any, error) {
	z, err := a.zone(r, r.URL.Query().Get("zone"))
	if err != nil {
		return nil, err
	}
	list, err := a.pending(r, z)
	if err != nil || len(list) == 0 {
		return list, err
	}
	views, err := a.o.Calendar.Collections(r.ctx(), r.who, r.who.Account)
	if err != nil {
		return nil, err
	}
	views = slices.DeleteFunc(views, func(v calendar.CollectionView) bool { return v.Kind != store.Calendar || v.Transparent })
	const maxConflicts = 5
	for i := range list {
		if i == 50 {
			break // whoever has more than fifty waiting has no use for more detail
		}
		said, err := a.lookInto(r, r.who.Account, list[i].UID)
		if err != nil {
			return nil, err
		}
		list[i].Security = said.security
		others, _, err := a.between(r, views, z, list[i].from, list[i].to)
		if err != nil {
			return nil, err
		}
		for _, o := range others {
			if o.UID != list[i].UID && o.Busy && o.Status != "CANCELLED" && o.PartStat != "DECLINED" && len(list[i].Conflicts) < maxConflicts {
				list[i].Conflicts = append(list[i].Conflicts, titleOf(store.Object{Summary: o.Summary, Name: "an event without a title"}))
			}
		}
	}
	return list, nil
}

func (a *app) postRespond(r *request) (any, error) {
	var q struct {
		Owner      string `json:"owner"`
		UID        string `json:"uid"`
		Occurrence string `json:"occurrence"`
		PartStat   string `json:"partstat"`
		Comment    string `json:"comment"`
	}
	if err := r.read(&q); err != nil {
		return nil, err
	}
	owner, err := a.owner(r, q.Owner)
	if err != nil {
		return nil, err
	}
	_, err = a.o.Calendar.Respond(r.ctx(), calendar.RespondRequest{
		By: r.who, Owner: owner, UID: q.UID, RecurrenceID: q.Occurrence, PartStat: q.PartStat, Comment: strings.TrimSpace(q.Comment),
	})
	return nil, err
}

func (a *app) getCounts(r *request) (any, error) {
	list, err := a.pending(r, tz.UTC)
	if err != nil {
		return nil, err
	}
	held, err := a.heldCount(r)
	if err != nil {
		return nil, err
	}
	offered, err := a.offered(r)
	if err != nil {
		return nil, err
	}
	return struct {
		Invitations int `json:"invitations"` // to events and to calendars
		Held        int `json:"held"`
	}{len(list) + len(offered), held}, nil
}
