package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/server"
	"github.com/convene-cal/convene/internal/store"
)

type accountCommands struct {
	Add           accountAdd           `cmd:"" help:"Make an account with its calendars."`
	List          accountList          `cmd:"" help:"List the accounts."`
	Show          accountShow          `cmd:"" help:"Show one account."`
	SetPassword   accountSetPassword   `cmd:"" help:"Set the password."`
	SetAddress    accountSetAddress    `cmd:"" help:"Set the calendar user addresses; the first is the preferred one."`
	Rename        accountRename        `cmd:"" help:"Change an address; the old one keeps a redirect."`
	Disable       accountDisable       `cmd:"" help:"Refuse sign-in; calendars stay."`
	Delete        accountDelete        `cmd:"" help:"Delete the account and all its calendars."`
	SetPolicy     accountSetPolicy     `cmd:"" help:"Set when a room or resource accepts by itself."`
	ShowPolicy    accountShowPolicy    `cmd:"" help:"Show when a room or resource accepts by itself."`
	SetPreference accountSetPreference `cmd:"" help:"Set the undo window, and who outside is told when one is busy."`
	Visits        accountVisits        `cmd:"" help:"When overseers, whom the configuration lets into every home, were in this one."`
	Designate     designateCommands    `cmd:"" help:"Who may act for whom."`
	Members       membersCommands      `cmd:"" help:"Who belongs to a group."`
}

// accountName is the argument that names an account.
type accountName struct {
	Address string `arg:"" help:"The account's address or name."`
}

func (n accountName) with(e *env, do func(*server.Services, store.Account) error) error {
	return e.as(n.Address, func(s *server.Services, a store.Account, _ account.Actor) error { return do(s, a) })
}

type accountAdd struct {
	Address       string `arg:"" help:"Calendar user address: ann@example.org."`
	Name          string `help:"Name that people see (default: the local part)."`
	Kind          string `enum:"individual,group,room,resource" default:"individual" help:"individual, group, room or resource."`
	Admin         bool   `help:"May administer the service."`
	TZ            string `name:"tz" help:"Time zone, e.g. Europe/Berlin." placeholder:"ZONE"`
	PasswordStdin bool   `help:"Read the password from standard input."`
	NoPassword    bool   `help:"Set none: nobody can sign in (rooms, groups)."`
}

func (accountAdd) Help() string {
	return "Makes the store when the data folder is empty.\n\nExample: convene account add ann@example.org --name 'Ann Archer' --data /var/lib/convene"
}

func (c accountAdd) Run(e *env) error {
	if !strings.Contains(c.Address, "@") {
		return usagef("%q is not an address; it looks like ann@example.org", c.Address)
	}
	if _, err := zoneFlag(c.TZ); err != nil {
		return err
	}
	password := ""
	if !c.NoPassword {
		var err error
		if password, err = e.password(c.PasswordStdin, "password for "+c.Address); err != nil {
			return err
		}
	}
	return e.with(func(s *server.Services) error {
		_, err := s.Accounts.Add(e.ctx, account.NewAccount{Address: ical.ParseAddress(c.Address), DisplayName: c.Name, Password: password, Kind: c.Kind, Admin: c.Admin, TimeZone: c.TZ})
		return err
	})
}

// accountLine is an account as scripts read it.
type accountLine struct {
	Name        string    `json:"name"`
	Addresses   []string  `json:"addresses"`
	DisplayName string    `json:"display-name"`
	Kind        string    `json:"kind"`
	Admin       bool      `json:"admin"`
	Disabled    bool      `json:"disabled"`
	TimeZone    string    `json:"time-zone,omitempty"`
	Created     time.Time `json:"created"`
}

func (e *env) accountLine(s *server.Services, a store.Account) (accountLine, error) {
	l := accountLine{Name: a.Name, Addresses: []string{}, DisplayName: a.DisplayName, Kind: a.Kind, Admin: a.Admin, Disabled: a.Disabled, TimeZone: a.TimeZone, Created: a.Created}
	addresses, err := s.Accounts.Addresses(e.ctx, a.ID)
	for _, address := range addresses {
		l.Addresses = append(l.Addresses, address.Email())
	}
	return l, err
}

type accountList struct {
	JSON bool `help:"One JSON object an account."`
}

func (accountList) Help() string { return "Example: convene account list --json" }

// accountPage is how many accounts are read in one snapshot.
const accountPage = 500

func (c accountList) Run(e *env) error {
	return e.with(func(s *server.Services) error {
		for after := ""; ; {
			var page []store.Account
			if err := s.Store.View(e.ctx, func(tx *store.Tx) (err error) {
				page, err = tx.Accounts(after, accountPage)
				return err
			}); err != nil || len(page) == 0 {
				return err
			}
			for _, a := range page {
				after = a.Name
				l, err := e.accountLine(s, a)
				if err != nil {
					return err
				}
				if c.JSON {
					err = e.printJSON(l)
				} else {
					_, err = fmt.Fprintf(forPeople(e.Out), "%-20s %-10s %-30s %s\n", l.Name, l.Kind, strings.Join(l.Addresses, ","), l.DisplayName)
				}
				if err != nil {
					return err
				}
			}
		}
	})
}

type accountShow struct {
	accountName `embed:""`
	JSON        bool `help:"One JSON object."`
}

func (accountShow) Help() string { return "Example: convene account show ann@example.org" }

func (c accountShow) Run(e *env) error {
	return c.with(e, func(s *server.Services, a store.Account) error {
		l, err := e.accountLine(s, a)
		if err != nil {
			return err
		}
		if c.JSON {
			return e.printJSON(l)
		}
		_, err = fmt.Fprintf(forPeople(e.Out), "%s (%s)\n  addresses  %s\n  name       %s\n  admin      %t\n  disabled   %t\n  zone       %s\n  created    %s\n",
			l.Name, l.Kind, strings.Join(l.Addresses, ", "), l.DisplayName, l.Admin, l.Disabled, l.TimeZone, l.Created.Format(time.RFC3339))
		return err
	})
}

type accountSetPassword struct {
	accountName   `embed:""`
	PasswordStdin bool `help:"Read the password from standard input."`
}

func (accountSetPassword) Help() string {
	return "Example: convene account set-password ann@example.org --password-stdin < secret"
}

func (c accountSetPassword) Run(e *env) error {
	password, err := e.password(c.PasswordStdin, "new password for "+c.Address)
	if err != nil {
		return err
	}
	return c.with(e, func(s *server.Services, a store.Account) error { return s.Accounts.SetPassword(e.ctx, a.ID, password) })
}

// parseAddresses reads addresses as people type them.
func parseAddresses(typed []string) []ical.Address {
	list := make([]ical.Address, len(typed))
	for i, t := range typed {
		list[i] = ical.ParseAddress(t)
	}
	return list
}

type accountSetAddress struct {
	accountName `embed:""`
	Addresses   []string `arg:"" name:"new" help:"All addresses, the preferred one first."`
}

func (accountSetAddress) Help() string {
	return "Example: convene account set-address ann@example.org ann@example.org a.archer@example.org"
}

func (c accountSetAddress) Run(e *env) error {
	return c.with(e, func(s *server.Services, a store.Account) error {
		return s.Accounts.SetAddresses(e.ctx, a.ID, parseAddresses(c.Addresses))
	})
}

type accountRename struct {
	Old string `arg:"" help:"Present address."`
	New string `arg:"" help:"New address."`
}

func (accountRename) Help() string {
	return "Example: convene account rename ann.miller@example.org ann.archer@example.org"
}

func (c accountRename) Run(e *env) error {
	return e.with(func(s *server.Services) error {
		return s.Accounts.Rename(e.ctx, ical.ParseAddress(c.Old), ical.ParseAddress(c.New))
	})
}

type accountDisable struct {
	accountName `embed:""`
	Undo        bool `help:"Let it sign in again."`
}

func (accountDisable) Help() string { return "Example: convene account disable ann@example.org" }

func (c accountDisable) Run(e *env) error {
	return c.with(e, func(s *server.Services, a store.Account) error { return s.Accounts.Disable(e.ctx, a.ID, !c.Undo) })
}

type accountDelete struct {
	accountName `embed:""`
	Yes         bool `help:"Do not ask."`
}

func (accountDelete) Help() string {
	return "Nobody is told. Take a backup first.\n\nExample: convene account delete ann@example.org --yes"
}

func (c accountDelete) Run(e *env) error {
	return c.with(e, func(s *server.Services, a store.Account) error {
		if !c.Yes {
			fmt.Fprintf(e.Err, "Delete %s with all its calendars? Type its name: ", a.Name)
			var typed string
			fmt.Fscanln(e.In, &typed)
			if typed != a.Name {
				return fmt.Errorf("nothing was deleted; type %q to confirm, or give --yes", a.Name)
			}
		}
		return s.Accounts.Delete(e.ctx, a.ID)
	})
}

type accountVisits struct {
	accountName `embed:""`
	JSON        bool `help:"One JSON object a visit."`
}

func (accountVisits) Help() string {
	return "Overseers are named by the settings oversight.read and oversight.act; by default nobody is. Visits are kept for a year.\n\nExample: convene account visits ann@example.org"
}

func (c accountVisits) Run(e *env) error {
	return e.as(c.Address, func(s *server.Services, a store.Account, by account.Actor) error {
		list, err := s.Calendar.Visits(e.ctx, by, a.ID)
		if err != nil {
			return err
		}
		for _, v := range list {
			what := "read"
			if v.Changed {
				what = "changed"
			}
			if c.JSON {
				err = e.printJSON(map[string]string{"hour": v.At.Format(time.RFC3339), "by": v.Visitor, "what": what})
			} else {
				_, err = fmt.Fprintf(forPeople(e.Out), "%s  %-20s %s\n", v.At.Format("2006-01-02 15:04Z"), v.Visitor, what)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

type appPasswordCommands struct {
	Add    appPasswordAdd    `cmd:"" help:"Make a password for one client and show it once."`
	List   appPasswordList   `cmd:"" help:"List an account's app passwords."`
	Revoke appPasswordRevoke `cmd:"" help:"Take one back."`
}

type appPasswordAdd struct {
	accountName `embed:""`
	Label       string        `default:"client" help:"What it is for: phone, laptop, …"`
	Expires     time.Duration `help:"How long it lives, e.g. 720h (default: for ever)." placeholder:"D"`
	JSON        bool          `help:"One JSON object."`
}

func (appPasswordAdd) Help() string {
	return "Example: convene app-password add ann@example.org --label phone"
}

func (c appPasswordAdd) Run(e *env) error {
	return c.with(e, func(s *server.Services, a store.Account) error {
		var until time.Time
		if c.Expires > 0 {
			until = time.Now().Add(c.Expires)
		}
		secret, row, err := s.Accounts.AddAppPassword(e.ctx, a.ID, c.Label, until)
		if err != nil {
			return err
		}
		if c.JSON {
			return e.printJSON(map[string]string{"id": strconv.FormatInt(row.ID, 10), "label": row.Label, "password": secret})
		}
		_, err = fmt.Fprintln(e.Out, secret)
		return err
	})
}

type appPasswordList struct {
	accountName `embed:""`
	JSON        bool `help:"One JSON object a password."`
}

func (appPasswordList) Help() string { return "Example: convene app-password list ann@example.org" }

func (c appPasswordList) Run(e *env) error {
	return c.with(e, func(s *server.Services, a store.Account) error {
		list, err := s.Accounts.AppPasswords(e.ctx, a.ID)
		if err != nil {
			return err
		}
		day := func(t time.Time) string {
			if t.IsZero() {
				return "never"
			}
			return t.Format(time.DateOnly)
		}
		for _, p := range list {
			if c.JSON {
				err = e.printJSON(map[string]string{"id": strconv.FormatInt(p.ID, 10), "label": p.Label, "created": day(p.Created), "last-used": day(p.LastUsed), "expires": day(p.Expires)})
			} else {
				_, err = fmt.Fprintf(forPeople(e.Out), "%-4d %-20s created %s, last used %s, expires %s\n", p.ID, p.Label, day(p.Created), day(p.LastUsed), day(p.Expires))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

type appPasswordRevoke struct {
	accountName `embed:""`
	ID          int64 `arg:"" help:"Number in the first column of convene app-password list."`
}

func (appPasswordRevoke) Help() string {
	return "Example: convene app-password revoke ann@example.org 3"
}

func (c appPasswordRevoke) Run(e *env) error {
	return c.with(e, func(s *server.Services, a store.Account) error {
		return s.Accounts.RevokeAppPassword(e.ctx, a.ID, c.ID)
	})
}
