package web

import (
	"crypto/rand"
	"regexp"
	"strings"

	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// calendarOnWire is a calendar in the list of calendars.
type calendarOnWire struct {
	Owner       string   `json:"owner"`
	OwnerName   string   `json:"ownerName"`
	Name        string   `json:"name"`
	DisplayName string   `json:"displayName"`
	Description string   `json:"description"`
	Color       string   `json:"color"` // #rrggbb, or "" for the browser to choose
	Components  []string `json:"components"`
	Access      string   `json:"access"`   // freebusy, read, write, own
	Mode        string   `json:"mode"`     // the same in the words of sharing: read-write, team and act are all "write"
	ID          int64    `json:"id"`       // names a shared calendar where it is accepted or taken off the list
	Followed    bool     `json:"followed"` // follows an address on the web
}

var accessWords = map[acl.Access]string{acl.FreeBusy: "freebusy", acl.Read: "read", acl.Write: "write", acl.Team: "write", acl.Act: "write", acl.Own: "own"}

func calendarOf(v calendar.CollectionView) calendarOnWire {
	if v.Kind == store.Subscribed {
		v.Access = min(v.Access, acl.Read)
	}
	c := calendarOnWire{
		Owner: v.Owner.Name, OwnerName: nameOf(v.Owner), Name: v.Name, DisplayName: v.DisplayName, Description: v.Description,
		Color: v.Color, Components: v.Components, Access: accessWords[v.Access], Mode: v.Access.String(), ID: v.ID, Followed: v.Kind == store.Subscribed,
	}
	if c.DisplayName == "" {
		c.DisplayName = v.Name
	}
	if c.Components == nil {
		c.Components = []string{}
	}
	return c
}

func nameOf(a store.Account) string {
	if a.DisplayName != "" {
		return a.DisplayName
	}
	return a.Name
}

// visible lists the calendars a person sees: their own, then those shared with them.
func (a *app) visible(r *request) ([]calendar.CollectionView, error) {
	own, err := a.o.Calendar.Collections(r.ctx(), r.who, r.who.Account)
	if err != nil {
		return nil, err
	}
	shared, err := a.o.Calendar.SharedWith(r.ctx(), r.who)
	if err != nil {
		return nil, err
	}
	var out []calendar.CollectionView
	for _, v := range append(own, shared...) {
		if (v.Kind == store.Calendar || v.Kind == store.Subscribed) && v.Access >= acl.Read {
			out = append(out, v)
		}
	}
	return out, nil
}

func (a *app) getCalendars(r *request) (any, error) {
	list, err := a.visible(r)
	if err != nil {
		return nil, err
	}
	out := make([]calendarOnWire, 0, len(list))
	for _, v := range list {
		out = append(out, calendarOf(v))
	}
	return out, nil
}

// calendarChange is what a person may set of a calendar.
type calendarChange struct {
	DisplayName *string `json:"displayName"`
	Color       *string `json:"color"`
}

var colorPattern = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)

// maxName of a calendar, an app password or a person, in characters.
const maxName = 200

func (c calendarChange) apply(to *store.Collection) error {
	if c.DisplayName != nil {
		name, err := checkedName(*c.DisplayName, "calendar")
		if err != nil {
			return err
		}
		to.DisplayName = name
	}
	if c.Color != nil {
		if !colorPattern.MatchString(*c.Color) {
			return problem.New(problem.BadInput, "%q is not a colour like #2563eb.", *c.Color)
		}
		to.Color = strings.ToLower(*c.Color)
	}
	return nil
}

func checkedName(name, of string) (string, error) {
	name = strings.TrimSpace(name)
	switch n := len([]rune(name)); {
	case n == 0:
		return "", problem.New(problem.BadInput, "Give the %s a name.", of)
	case n > maxName:
		return "", problem.New(problem.BadInput, "The name has %d characters; %d are allowed.", n, maxName)
	}
	return name, nil
}

func (a *app) postCalendar(r *request) (any, error) {
	var c calendarChange
	if err := r.read(&c); err != nil {
		return nil, err
	}
	made := store.Collection{Name: strings.ToLower(rand.Text()), Components: []string{"VEVENT"}}
	if c.DisplayName == nil {
		c.DisplayName = new(string)
	}
	if err := c.apply(&made); err != nil {
		return nil, err
	}
	made, err := a.o.Calendar.MakeCalendar(r.ctx(), calendar.MakeCalendarRequest{By: r.who, Owner: r.who.Account, Collection: made})
	if err != nil {
		return nil, err
	}
	v, err := a.o.Calendar.Collection(r.ctx(), r.who, r.who.Account, made.Name)
	if err != nil {
		return nil, err
	}
	return created{calendarOf(v)}, nil
}

func (a *app) patchCalendar(r *request) (any, error) {
	var c calendarChange
	if err := r.read(&c); err != nil {
		return nil, err
	}
	owner, err := a.owner(r, r.PathValue("owner"))
	if err != nil {
		return nil, err
	}
	if _, err := a.o.Calendar.UpdateCollection(r.ctx(), r.who, owner, r.PathValue("calendar"), c.apply); err != nil {
		return nil, err
	}
	v, err := a.o.Calendar.Collection(r.ctx(), r.who, owner, r.PathValue("calendar"))
	if err != nil {
		return nil, err
	}
	return calendarOf(v), nil
}

func (a *app) deleteCalendar(r *request) (any, error) {
	owner, err := a.owner(r, r.PathValue("owner"))
	if err != nil {
		return nil, err
	}
	return nil, a.o.Calendar.DeleteCollection(r.ctx(), calendar.DeleteCollectionRequest{By: r.who, Owner: owner, Collection: r.PathValue("calendar")})
}

// owner is the account with a URL segment.
func (a *app) owner(r *request, name string) (store.AccountID, error) {
	if name == r.who.Name {
		return r.who.Account, nil
	}
	acc, err := a.o.Accounts.Find(r.ctx(), name)
	return acc.ID, err
}
