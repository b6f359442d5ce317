package cli

import (
	"io"
	"os"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/server"
	"github.com/convene-cal/convene/internal/store"
)

type exportCommand struct {
	accountFlag `embed:""`
	Calendar    string `help:"Which calendar (default: all of them)."`
	Format      string `default:"ics" help:"ics, jcal, xcal, jscalendar or vcs (vCalendar 1.0)." placeholder:"FORMAT"`
	Output      string `short:"o" help:"File to write (default: standard output)." placeholder:"FILE"`
}

func (exportCommand) Help() string {
	return "Every component and property of every object comes out as it was stored.\n\nExample: convene export --account alice@example.org --calendar holidays -o holidays.ics"
}

func (c exportCommand) Run(e *env) error {
	to, err := formatNamed(c.Format)
	if err != nil {
		return err
	}
	return e.as(c.Account, func(s *server.Services, a store.Account, by account.Actor) error {
		names := []string{c.Calendar}
		if c.Calendar == "" {
			var err error
			if names, err = calendarNames(e, s, a.ID, by); err != nil {
				return err
			}
		}
		out := e.Out
		if c.Output != "" {
			f, err := os.OpenFile(c.Output, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
			if err != nil {
				return err
			}
			defer f.Close()
			out = f
		}
		all := func(w io.Writer) error {
			for _, name := range names {
				coll, err := calendarNamed(e, s, a.ID, by, name)
				if err != nil {
					return err
				}
				if err := s.Calendar.Export(e.ctx, by, a.ID, coll.Name, w); err != nil {
					return err
				}
			}
			return nil
		}
		if to.name == "ics" {
			return all(out)
		}
		return convertExport(e, to, all, out)
	})
}
