package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/convene-cal/convene/internal/config"
	"github.com/convene-cal/convene/internal/doctor"
	"github.com/convene-cal/convene/internal/server"
	"github.com/convene-cal/convene/internal/transport/mail"
)

type doctorCommand struct {
	Rebuild bool          `help:"Derive the time index anew from the calendar objects before looking."`
	Offline bool          `help:"Ask nothing of the network but the listeners of this machine."`
	Timeout time.Duration `default:"10s" help:"How long each question to the network may take."`
	JSON    bool          `help:"One JSON object a finding: check, subject, state (ok, warning, error, not configured), message, advice."`
}

func (doctorCommand) Help() string {
	return "Looks at store, disk, clock, time zone data, listeners, certificate, DNS records and the mail relay, and says what to do about " +
		"what is not well. Works while the server runs. Exit status 1 when there is an error, 0 when there are warnings at most.\n\n" +
		"Example: convene doctor --data /var/lib/convene"
}

func (c doctorCommand) Run(e *env) error {
	cfg, err := e.load(nil)
	if err != nil {
		return err
	}
	o := doctor.Options{Config: cfg, File: configurationFile(e, cfg), Now: time.Now(), Timeout: c.Timeout, Network: !c.Offline}
	o.Relay = func(ctx context.Context) error { return mail.Reach(ctx, cfg.Mail.Relay, cfg.Hostname) }
	s, err := openExisting(e, cfg)
	if err != nil {
		o.StoreErr = err
	} else {
		defer s.Close()
		o.Store = s.Store
	}
	if c.Rebuild {
		if s == nil {
			return fmt.Errorf("the time index cannot be derived anew: %w", err)
		}
		if err := c.rebuild(e, s); err != nil {
			return err
		}
	}
	failed := false
	var unwritten error
	doctor.Examine(e.ctx, o, func(f doctor.Finding) {
		failed = failed || f.State == doctor.Error
		if unwritten == nil {
			unwritten = c.print(e, f)
		}
	})
	if unwritten == nil && failed {
		return errFailed
	}
	return unwritten
}

func (c doctorCommand) print(e *env, f doctor.Finding) error {
	if c.JSON {
		return e.printJSON(f)
	}
	what := f.Check
	if f.Subject != "" {
		what += " " + f.Subject
	}
	_, err := fmt.Fprintf(forPeople(e.Out), "%-14s  %s: %s\n", f.State, what, f.Message)
	if err == nil && f.Advice != "" {
		_, err = fmt.Fprintf(forPeople(e.Out), "%-14s  → %s\n", "", f.Advice)
	}
	return err
}

func (c doctorCommand) rebuild(e *env, s *server.Services) error {
	told := e.progress("objects indexed")
	done, unread, err := s.Calendar.Reindex(e.ctx, told.add)
	told.done()
	if err != nil {
		return err
	}
	f := doctor.Finding{Check: "rebuild", State: doctor.OK, Message: fmt.Sprintf("the time index of %d objects was derived anew", done)}
	if unread > 0 {
		f.State, f.Message = doctor.Warning, fmt.Sprintf("%s; %d objects cannot be read and were left as they are", f.Message, unread)
		f.Advice = "convene export --account A finds them; correct or delete them."
	}
	return c.print(e, f)
}

// openExisting opens a store that is there: looking must not make one.
func openExisting(e *env, cfg config.Config) (*server.Services, error) {
	if cfg.Store.URL == "" {
		if _, err := os.Stat(filepath.Join(cfg.Data, "convene.db")); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no store in %s", cfg.Data)
		}
	}
	// A certificate that cannot be read is a finding, not the end.
	cfg.HTTP.TLS = "off"
	return server.Open(e.ctx, cfg, slog.New(slog.NewTextHandler(e.Err, &slog.HandlerOptions{Level: slog.LevelError})))
}

// configurationFile is the file the settings come from, "" when there is none.
func configurationFile(e *env, cfg config.Config) string {
	if e.root.Config != "" {
		return e.root.Config
	}
	file := filepath.Join(cfg.Data, config.FileName)
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return file
}
