package web

import (
	"net/http"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// groupOnWire is a group with its members. Administrators see and change all
// of them, others see those they belong to.
type groupOnWire struct {
	Name        string         `json:"name"`
	DisplayName string         `json:"displayName"`
	Address     string         `json:"address"`
	MayChange   bool           `json:"mayChange"`
	Members     []memberOnWire `json:"members"`
}

type memberOnWire struct {
	Address string `json:"address"`
	Name    string `json:"name"` // "" for people elsewhere
	Kind    string `json:"kind"`
}

// maxGroups listed at once.
const maxGroups = 500

func (a *app) getGroups(r *request) (any, error) {
	var list []store.Account
	if r.who.Admin {
		for after := ""; len(list) < maxGroups; {
			page, err := a.o.Accounts.List(r.ctx(), after, maxGroups)
			if err != nil {
				return nil, err
			}
			if len(page) == 0 {
				break
			}
			for _, x := range page {
				if after = x.Name; x.Kind == store.Group && !x.Disabled && len(list) < maxGroups {
					list = append(list, x)
				}
			}
		}
	} else {
		var err error
		if list, err = a.o.Calendar.GroupsOf(r.ctx(), r.who.Account); err != nil {
			return nil, err
		}
	}
	out := []groupOnWire{}
	for _, x := range list {
		g, err := a.group(r, x)
		if err != nil {
			return nil, err
		}
		out = append(out, g)
	}
	return out, nil
}

func (a *app) group(r *request, x store.Account) (groupOnWire, error) {
	g := groupOnWire{Name: x.Name, DisplayName: nameOf(x), MayChange: r.who.Admin, Members: []memberOnWire{}}
	mine, err := a.o.Accounts.Addresses(r.ctx(), x.ID)
	if err != nil {
		return g, err
	}
	if len(mine) > 0 {
		g.Address = mine[0].Email()
	}
	members, err := a.o.Accounts.Members(r.ctx(), x.ID)
	if err != nil {
		return g, err
	}
	for _, m := range members {
		one := memberOnWire{Address: ical.Address(m.URI).Email()}
		acc, ok, err := a.o.Accounts.Lookup(r.ctx(), ical.Address(m.URI))
		if err != nil {
			return g, err
		}
		if ok {
			one.Name, one.Kind = nameOf(acc), acc.Kind
		}
		g.Members = append(g.Members, one)
	}
	return g, nil
}

// administers refuses what is for administrators.
func administers(r *request) error {
	if !r.who.Admin {
		return problem.New(problem.NeedPrivileges, "Only administrators can do this.")
	}
	return nil
}

func (a *app) postGroup(r *request) (any, error) {
	var q struct {
		Address     string `json:"address"`
		DisplayName string `json:"displayName"`
	}
	if err := r.read(&q); err != nil {
		return nil, err
	}
	if err := administers(r); err != nil {
		return nil, err
	}
	name, err := checkedName(q.DisplayName, "group")
	if err != nil {
		return nil, err
	}
	x, err := a.o.Accounts.Add(r.ctx(), account.NewAccount{Address: ical.ParseAddress(q.Address), DisplayName: name, Kind: store.Group})
	if err != nil {
		return nil, err
	}
	g, err := a.group(r, x)
	return created{g}, err
}

func (a *app) changeMembers(r *request) (any, error) {
	var q struct {
		Who []string `json:"who"`
	}
	if err := r.read(&q); err != nil {
		return nil, err
	}
	if err := administers(r); err != nil {
		return nil, err
	}
	x, err := a.o.Accounts.ByName(r.ctx(), r.PathValue("group"))
	if err != nil {
		return nil, err
	}
	var who []ical.Address
	for _, one := range q.Who {
		who = append(who, ical.ParseAddress(one))
	}
	if r.Method == http.MethodDelete {
		err = a.o.Accounts.RemoveMembers(r.ctx(), x.ID, who)
	} else {
		err = a.o.Accounts.AddMembers(r.ctx(), x.ID, who)
	}
	if err != nil {
		return nil, err
	}
	return a.group(r, x)
}
