package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/server"
	"github.com/convene-cal/convene/internal/store"
)

type membersCommands struct {
	Add    membersAdd    `cmd:"" help:"Put people, or other groups, into a group."`
	Remove membersRemove `cmd:"" help:"Take people out of a group."`
	List   membersList   `cmd:"" help:"List who is in a group."`
}

type membersAdd struct {
	Group   string   `arg:"" help:"The group's address or name."`
	Members []string `arg:"" name:"member" help:"Addresses."`
}

func (membersAdd) Help() string {
	return "Who invites the group then invites its members.\n\nExample: convene account members add team@example.org ann@example.org bob@example.org"
}

func (c membersAdd) Run(e *env) error {
	return c.change(e, func(s *server.Services) changeMembers { return s.Accounts.AddMembers })
}

// changeMembers is how the account service changes a group.
type changeMembers = func(ctx context.Context, group store.AccountID, who []ical.Address) error

func (c membersAdd) change(e *env, how func(*server.Services) changeMembers) error {
	return accountName{c.Group}.with(e, func(s *server.Services, a store.Account) error {
		return how(s)(e.ctx, a.ID, parseAddresses(c.Members))
	})
}

type membersRemove struct {
	Group   string   `arg:"" help:"The group's address or name."`
	Members []string `arg:"" name:"member" help:"Addresses."`
}

func (membersRemove) Help() string {
	return "They stay attendees of the events they are invited to.\n\nExample: convene account members remove team@example.org bob@example.org"
}

func (c membersRemove) Run(e *env) error {
	return membersAdd(c).change(e, func(s *server.Services) changeMembers { return s.Accounts.RemoveMembers })
}

type membersList struct {
	Group string `arg:"" help:"The group's address or name."`
	JSON  bool   `help:"One JSON object a member."`
}

func (membersList) Help() string { return "Example: convene account members list team@example.org" }

func (c membersList) Run(e *env) error {
	return accountName{c.Group}.with(e, func(s *server.Services, a store.Account) error {
		list, err := s.Accounts.Members(e.ctx, a.ID)
		if err != nil {
			return err
		}
		for _, m := range list {
			address := strings.TrimPrefix(m.URI, "mailto:")
			if c.JSON {
				err = e.printJSON(map[string]string{"group": a.Name, "address": address})
			} else {
				_, err = fmt.Fprintln(e.Out, address)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
