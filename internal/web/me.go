package web

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// meOnWire is the person's own account.
type meOnWire struct {
	Name        string   `json:"name"`
	DisplayName string   `json:"displayName"`
	Admin       bool     `json:"admin"`
	TimeZone    string   `json:"timeZone"` // chosen; "" for none
	Language    string   `json:"language"` // of mails in the person's name; "" for English
	Zone        string   `json:"zone"`     // to show times in: the chosen one, else the browser's, else UTC
	Addresses   []string `json:"addresses"`
	CalDAV      struct {
		Server    string `json:"server"`
		Principal string `json:"principal"`
		Home      string `json:"home"`
	} `json:"caldav"`
}

func (a *app) getMe(r *request) (any, error) {
	me, err := a.o.Accounts.Account(r.ctx(), r.who.Account)
	if err != nil {
		return nil, err
	}
	mine, err := a.o.Accounts.Addresses(r.ctx(), r.who.Account)
	if err != nil {
		return nil, err
	}
	out := meOnWire{Name: me.Name, DisplayName: me.DisplayName, Admin: me.Admin, TimeZone: me.TimeZone, Language: me.Language, Addresses: []string{}}
	for _, m := range mine {
		out.Addresses = append(out.Addresses, string(m))
	}
	out.Zone = "UTC"
	for _, name := range []string{me.TimeZone, r.URL.Query().Get("zone")} {
		if _, err := tz.Load(name); err == nil && name != "" {
			out.Zone = name
			break
		}
	}
	base, segment := a.base(r.Request), url.PathEscape(me.Name)
	out.CalDAV.Server = base + "/"
	out.CalDAV.Principal = base + "/dav/principals/" + segment + "/"
	out.CalDAV.Home = base + "/dav/calendars/" + segment + "/"
	return out, nil
}

func (a *app) patchMe(r *request) (any, error) {
	var c struct {
		DisplayName *string `json:"displayName"`
		TimeZone    *string `json:"timeZone"`
		Language    *string `json:"language"`
	}
	if err := r.read(&c); err != nil {
		return nil, err
	}
	name, zone := "", ""
	if c.DisplayName != nil {
		if name = strings.TrimSpace(*c.DisplayName); len([]rune(name)) > maxName {
			return nil, problem.New(problem.BadInput, "The name has more than %d characters.", maxName)
		}
	}
	if c.TimeZone != nil && *c.TimeZone != "" {
		z, err := tz.Load(*c.TimeZone)
		if err != nil {
			return nil, problem.New(problem.BadInput, "The time zone %q is not known. Use a name like Europe/Stockholm.", *c.TimeZone).Because(err)
		}
		zone = z.Name()
	}
	if c.Language != nil {
		if err := a.o.Accounts.SetLanguage(r.ctx(), r.who.Account, *c.Language); err != nil {
			return nil, err
		}
	}
	err := a.o.Accounts.Edit(r.ctx(), r.who.Account, func(me *store.Account) error {
		if c.DisplayName != nil {
			me.DisplayName = name
		}
		if c.TimeZone != nil {
			me.TimeZone = zone
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a.getMe(r)
}

// minPassword of a new password, in characters (NIST SP 800-63B 5.1.1.2).
const minPassword = 8

func (a *app) postPassword(r *request) (any, error) {
	var c struct {
		Current  string `json:"current"`
		Password string `json:"password"`
	}
	if err := r.read(&c); err != nil {
		return nil, err
	}
	if len([]rune(c.Password)) < minPassword {
		return nil, problem.New(problem.BadInput, "The new password is too short: it needs %d characters.", minPassword)
	}
	return nil, a.o.Accounts.ChangePassword(r.ctx(), r.who, c.Current, c.Password) // this session stays, others end
}

// appPasswordOnWire is an app password without its secret.
type appPasswordOnWire struct {
	ID       int64  `json:"id"`
	Label    string `json:"label"`
	Created  string `json:"created"`
	LastUsed string `json:"lastUsed"`
}

func (a *app) getAppPasswords(r *request) (any, error) {
	list, err := a.o.Accounts.AppPasswords(r.ctx(), r.who.Account)
	if err != nil {
		return nil, err
	}
	out := []appPasswordOnWire{}
	for _, p := range list {
		out = append(out, appPasswordOnWire{p.ID, p.Label, instant(p.Created), instant(p.LastUsed)})
	}
	return out, nil
}

// instant is a moment on the wire, RFC 3339 in UTC; "" for none.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func (a *app) postAppPassword(r *request) (any, error) {
	var c struct {
		Label string `json:"label"`
	}
	if err := r.read(&c); err != nil {
		return nil, err
	}
	label, err := checkedName(c.Label, "program")
	if err != nil {
		return nil, err
	}
	secret, row, err := a.o.Accounts.AddAppPassword(r.ctx(), r.who.Account, label, time.Time{})
	if err != nil {
		return nil, err
	}
	return created{struct {
		ID       int64  `json:"id"`
		Password string `json:"password"`
	}{row.ID, secret}}, nil
}

func (a *app) deleteAppPassword(r *request) (any, error) {
	id, err := r.id("app password")
	if err != nil {
		return nil, err
	}
	return nil, a.o.Accounts.RevokeAppPassword(r.ctx(), r.who.Account, id)
}

// id is the number in the request's path.
func (r *request) id(of string) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, problem.New(problem.NotFound, "There is no %s %q.", of, r.PathValue("id"))
	}
	return id, nil
}
