package cli

import (
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/server"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

type calendarCommands struct {
	Add       calendarAdd       `cmd:"" help:"Make a calendar."`
	List      calendarList      `cmd:"" help:"List the calendars of an account."`
	Share     calendarShare     `cmd:"" help:"Let a colleague read or change a calendar."`
	Unshare   calendarUnshare   `cmd:"" help:"Take a share back."`
	Publish   calendarPublish   `cmd:"" help:"Make an address of a calendar that anyone can read, list them, or end them."`
	Subscribe calendarSubscribe `cmd:"" help:"Make a calendar that follows an address on the web, or list those there are."`
	History   calendarHistory   `cmd:"" help:"List earlier versions and deleted objects."`
	Restore   calendarRestore   `cmd:"" help:"Make an earlier version the present one, or bring back what was deleted."`
	Delete    calendarDelete    `cmd:"" help:"Delete a calendar with all that is in it; attendees are told."`
}

// accountFlag is on every command that acts for somebody.
type accountFlag struct {
	Account string `required:"" short:"a" help:"Whose: an address or the account's name." placeholder:"ADDRESS"`
}

type calendarAdd struct {
	accountFlag `embed:""`
	Name        string   `arg:"" help:"Name of the calendar."`
	Component   []string `help:"What it holds (VEVENT, VTODO, VJOURNAL); repeat for several. Default: VEVENT."`
	Color       string   `help:"#RRGGBB."`
	Description string   `help:"A sentence about it."`
}

func (calendarAdd) Help() string {
	return "Example: convene calendar add --account alice@example.org Holidays"
}

func (c calendarAdd) Run(e *env) error {
	return e.as(c.Account, func(s *server.Services, a store.Account, by account.Actor) error {
		components := c.Component
		if len(components) == 0 {
			components = []string{"VEVENT"}
		}
		made, err := s.Calendar.MakeCalendar(e.ctx, calendar.MakeCalendarRequest{By: by, Owner: a.ID, Collection: store.Collection{
			Name: segment(c.Name), DisplayName: c.Name, Description: c.Description, Color: c.Color, Components: components,
		}})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(e.Out, made.Name)
		return err
	})
}

var unusual = regexp.MustCompile(`[^a-z0-9._-]+`)

// segment is the URL name made from what a person calls the calendar.
func segment(name string) string {
	s := strings.Trim(unusual.ReplaceAllString(strings.ToLower(name), "-"), "-.")
	if s == "" {
		s = "calendar"
	}
	return s
}

type calendarList struct {
	accountFlag `embed:""`
	JSON        bool `help:"One JSON object a calendar."`
}

func (calendarList) Help() string {
	return "Example: convene calendar list --account alice@example.org --json"
}

func (c calendarList) Run(e *env) error {
	return e.as(c.Account, func(s *server.Services, a store.Account, by account.Actor) error {
		views, err := s.Calendar.Collections(e.ctx, by, a.ID)
		if err != nil {
			return err
		}
		for _, v := range views {
			if v.Kind != store.Calendar && v.Kind != store.Subscribed {
				continue
			}
			if c.JSON {
				err = e.printJSON(map[string]any{"name": v.Name, "display-name": v.DisplayName, "components": v.Components, "color": v.Color, "url": "/dav/calendars/" + a.Name + "/" + v.Name + "/"})
			} else {
				_, err = fmt.Fprintf(forPeople(e.Out), "%-20s %-30s %s\n", v.Name, v.DisplayName, strings.Join(v.Components, ","))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// calendarNamed finds a calendar by URL segment, or by display name where
// that is unambiguous. An empty name is the default calendar.
func calendarNamed(e *env, s *server.Services, owner store.AccountID, by account.Actor, name string) (store.Collection, error) {
	if name == "" {
		return s.Calendar.DefaultCalendar(e.ctx, by, owner)
	}
	views, err := s.Calendar.Collections(e.ctx, by, owner)
	if err != nil {
		return store.Collection{}, err
	}
	var found []store.Collection
	for _, v := range views {
		if v.Kind != store.Calendar && v.Kind != store.Subscribed {
			continue
		}
		if v.Name == name {
			return v.Collection, nil
		}
		if v.DisplayName == name {
			found = append(found, v.Collection)
		}
	}
	switch len(found) {
	case 0:
		return store.Collection{}, problem.New(problem.NotFound, "There is no calendar %q; convene calendar list shows them.", name)
	case 1:
		return found[0], nil
	}
	return store.Collection{}, usagef("%d calendars are called %q; use the name in the first column of convene calendar list", len(found), name)
}

type calendarShare struct {
	accountFlag `embed:""`
	Calendar    string `arg:"" help:"Which calendar; \"*\" is all of them: read, or act for you altogether, inbox included."`
	With        string `required:"" help:"With whom: a colleague's address, or \"*\": everyone with an account." placeholder:"ADDRESS"`
	Access      string `enum:"freebusy,read,read-write,team,act" default:"read" help:"freebusy; read; read-write; team: and name and describe it; act: and see what is private, as a secretary does."`
}

func (calendarShare) Help() string {
	return "Example: convene calendar share --account alice@example.org default --with bob@example.org --access read-write"
}

func (c calendarShare) Run(e *env) error {
	return c.change(e, func(s *server.Services, by account.Actor, coll store.Collection, to store.Account) error {
		access, err := acl.Parse(c.Access)
		if err != nil {
			return err
		}
		if c.Calendar == everyCalendar {
			return proxies(e, s, by, to, access, true)
		}
		return s.Calendar.Share(e.ctx, by, coll.Account, coll.Name, to.ID, access)
	})
}

func (c calendarShare) change(e *env, do func(*server.Services, account.Actor, store.Collection, store.Account) error) error {
	return e.as(c.Account, func(s *server.Services, a store.Account, by account.Actor) error {
		var coll store.Collection
		var err error
		if c.Calendar != everyCalendar {
			if coll, err = calendarNamed(e, s, a.ID, by, c.Calendar); err != nil {
				return err
			}
		}
		to, err := s.Calendar.Sharee(e.ctx, c.With)
		if err != nil {
			return err
		}
		return do(s, by, coll, to)
	})
}

// everyCalendar stands for all of an account's calendars.
const everyCalendar = "*"

// proxies puts somebody on the list of those who read, or act in, all calendars
// of the caller, or takes them off it.
func proxies(e *env, s *server.Services, by account.Actor, who store.Account, access acl.Access, on bool) error {
	if who.ID == store.Everyone {
		return usagef("all calendars are shared with people who are named")
	}
	if access != acl.Read && access != acl.Act {
		return usagef("all calendars are shared for reading or to act: --access read or --access act")
	}
	list, err := s.Calendar.Proxies(e.ctx, by, by.Account, access)
	if err != nil {
		return err
	}
	var ids []store.AccountID
	for _, p := range list {
		if p.ID != who.ID {
			ids = append(ids, p.ID)
		}
	}
	if on {
		ids = append(ids, who.ID)
	}
	return s.Calendar.SetProxies(e.ctx, by, by.Account, access, ids)
}

type calendarUnshare struct {
	accountFlag `embed:""`
	Calendar    string `arg:"" help:"Which calendar."`
	With        string `required:"" help:"Whose share ends." placeholder:"ADDRESS"`
}

func (calendarUnshare) Help() string {
	return "Example: convene calendar unshare --account alice@example.org default --with bob@example.org"
}

func (c calendarUnshare) Run(e *env) error {
	share := calendarShare{accountFlag: c.accountFlag, Calendar: c.Calendar, With: c.With}
	return share.change(e, func(s *server.Services, by account.Actor, coll store.Collection, to store.Account) error {
		if c.Calendar == everyCalendar {
			return errors.Join(proxies(e, s, by, to, acl.Act, false), proxies(e, s, by, to, acl.Read, false))
		}
		return s.Calendar.Unshare(e.ctx, by, coll.Account, coll.Name, to.ID)
	})
}

type calendarPublish struct {
	accountFlag `embed:""`
	Calendar    string `arg:"" optional:"" help:"Which calendar; without one, what is published is listed."`
	Busy        bool   `help:"Tell only when the time is taken."`
	Label       string `help:"A note for yourself: whom it is for."`
	End         bool   `help:"End all published addresses of the calendar."`
	JSON        bool   `help:"One JSON object a line."`
}

func (calendarPublish) Help() string {
	return "Example: convene calendar publish --account alice@example.org default --busy"
}

func (c calendarPublish) Run(e *env) error {
	return e.as(c.Account, func(s *server.Services, a store.Account, by account.Actor) error {
		list := []calendar.FeedView(nil)
		var err error
		switch {
		case c.Calendar == "":
			list, err = s.Calendar.Feeds(e.ctx, by, a.ID, "")
		default:
			var coll store.Collection
			if coll, err = calendarNamed(e, s, a.ID, by, c.Calendar); err != nil {
				return err
			}
			if c.End {
				return s.Calendar.UnpublishFeeds(e.ctx, by, a.ID, coll.Name)
			}
			detail := calendar.FeedFull
			if c.Busy {
				detail = calendar.FeedBusy
			}
			list = make([]calendar.FeedView, 1)
			list[0], err = s.Calendar.PublishFeed(e.ctx, by, a.ID, coll.Name, detail, c.Label)
		}
		if err != nil {
			return err
		}
		for _, f := range list {
			url := strings.TrimSuffix(s.Config.HTTP.PublicURL, "/") + "/feeds/" + f.Token + ".ics"
			if c.JSON {
				err = e.printJSON(map[string]any{"calendar": f.Calendar.Name, "url": url, "detail": f.Detail, "label": f.Label, "created": f.Created})
			} else {
				_, err = fmt.Fprintf(forPeople(e.Out), "%-20s %-5s %s %s\n", f.Calendar.Name, f.Detail, url, f.Label)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

type calendarSubscribe struct {
	accountFlag `embed:""`
	URL         string `arg:"" optional:"" help:"Address of an .ics file; without one, the subscriptions are listed."`
	Name        string `help:"What to call it; by default as it calls itself."`
	JSON        bool   `help:"One JSON object a line."`
}

func (calendarSubscribe) Help() string {
	return "Example: convene calendar subscribe --account alice@example.org webcal://example.org/holidays.ics"
}

func (c calendarSubscribe) Run(e *env) error {
	return e.as(c.Account, func(s *server.Services, a store.Account, by account.Actor) error {
		if c.URL != "" {
			name := segment(c.Name)
			if c.Name == "" {
				name = "subscribed-" + strings.ToLower(rand.Text()[:6])
			}
			made, err := s.Calendar.Subscribe(e.ctx, calendar.SubscribeRequest{By: by, Owner: a.ID, Name: name, DisplayName: c.Name, URL: c.URL})
			if err != nil {
				return err
			}
			if err := s.Fetcher.Fetch(e.ctx, made.Subscription); err != nil {
				return err
			}
		}
		list, err := s.Calendar.Subscriptions(e.ctx, by, a.ID)
		if err != nil {
			return err
		}
		for _, v := range list {
			if c.JSON {
				err = e.printJSON(map[string]any{"name": v.Calendar.Name, "display-name": v.Calendar.DisplayName, "url": v.URL, "refreshed": v.Refreshed, "due": v.Due, "failures": v.Failures, "error": v.Error})
			} else {
				age := "never fetched"
				if !v.Refreshed.IsZero() {
					age = "fetched " + v.Refreshed.Local().Format("2006-01-02 15:04")
				}
				_, err = fmt.Fprintf(forPeople(e.Out), "%-20s %-30s %s, %s %s\n", v.Calendar.Name, v.Calendar.DisplayName, v.URL, age, v.Error)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

type calendarHistory struct {
	accountFlag `embed:""`
	Calendar    string `arg:"" optional:"" help:"Only of this calendar."`
	UID         string `help:"Only of the event with this UID."`
	Deleted     bool   `help:"Only what was deleted."`
	Limit       int    `default:"50" help:"At most so many."`
	JSON        bool   `help:"One JSON object a line."`
}

func (calendarHistory) Help() string {
	return "Example: convene calendar history --account alice@example.org --deleted"
}

func (c calendarHistory) Run(e *env) error {
	return e.as(c.Account, func(s *server.Services, a store.Account, by account.Actor) error {
		f := calendar.HistoryFilter{UID: c.UID, Deleted: c.Deleted, Limit: c.Limit}
		if c.Calendar != "" {
			coll, err := calendarNamed(e, s, a.ID, by, c.Calendar)
			if err != nil {
				return err
			}
			f.Collection = coll.Name
		}
		list, err := s.Calendar.History(e.ctx, by, a.ID, f)
		if err != nil {
			return err
		}
		for _, v := range list {
			id := fmt.Sprintf("%d.%d", v.Object, v.Seq)
			if c.JSON {
				err = e.printJSON(map[string]any{"id": id, "uid": v.UID, "summary": v.Summary, "component": v.Component, "calendar": v.Calendar, "name": v.Name, "written": v.Modified, "until": v.Replaced, "deleted": v.Deleted})
			} else {
				became := "changed"
				if v.Deleted {
					became = "deleted"
				}
				_, err = fmt.Fprintf(forPeople(e.Out), "%-12s %s %-7s %-20s %s\n", id, v.Replaced.Local().Format("2006-01-02 15:04"), became, v.Calendar, v.Summary)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

type calendarRestore struct {
	accountFlag `embed:""`
	Version     string `arg:"" help:"From the first column of calendar history."`
	Show        bool   `help:"Print it and change nothing."`
}

func (calendarRestore) Help() string {
	return "Example: convene calendar restore --account alice@example.org 12.57"
}

func (c calendarRestore) Run(e *env) error {
	return e.as(c.Account, func(s *server.Services, a store.Account, by account.Actor) error {
		object, seq, ok := strings.Cut(c.Version, ".")
		o, err1 := strconv.ParseInt(object, 10, 64)
		v, err2 := strconv.ParseInt(seq, 10, 64)
		if !ok || err1 != nil || err2 != nil {
			return usagef("%q is no version; convene calendar history shows them", c.Version)
		}
		if c.Show {
			body, err := s.Calendar.HistoryText(e.ctx, by, a.ID, o, v)
			if err != nil {
				return err
			}
			_, err = e.Out.Write(body)
			return err
		}
		res, err := s.Calendar.Restore(e.ctx, by, a.ID, o, v)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(forPeople(e.Out), "%s is there again.\n", res.Object.Summary)
		return err
	})
}

type calendarDelete struct {
	accountFlag `embed:""`
	Calendar    string `arg:"" help:"Which calendar."`
	Quiet       bool   `help:"Tell nobody that one's meetings are gone."`
}

func (calendarDelete) Help() string {
	return "Example: convene calendar delete --account alice@example.org holidays"
}

func (c calendarDelete) Run(e *env) error {
	return e.as(c.Account, func(s *server.Services, a store.Account, by account.Actor) error {
		coll, err := calendarNamed(e, s, a.ID, by, c.Calendar)
		if err != nil {
			return err
		}
		reply := itip.ReplyDefault
		if c.Quiet {
			reply = itip.ReplySuppress
		}
		return s.Calendar.DeleteCollection(e.ctx, calendar.DeleteCollectionRequest{By: by, Owner: a.ID, Collection: coll.Name, Reply: reply})
	})
}
