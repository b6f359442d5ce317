package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/config"
	"github.com/convene-cal/convene/internal/server"
	"github.com/convene-cal/convene/internal/store"
)

// load reads the configuration of the data folder or file named, with the
// settings that flags give.
func (e *env) load(flags map[string]string) (config.Config, error) {
	all := map[string]string{}
	for k, v := range flags {
		all[k] = v
	}
	if e.root.Data != "" {
		all["data"] = e.root.Data
	}
	cfg, err := config.Load(config.Sources{File: e.root.Config, Flags: all})
	if err != nil {
		return cfg, usageError{err}
	}
	return cfg, nil
}

// open opens the services of the data folder beside a server that may be
// running on it. The command line says nothing but its own words.
func (e *env) open() (*server.Services, error) { return e.openWith(nil) }

// openWith is open with settings that weigh more than the configuration's.
func (e *env) openWith(flags map[string]string) (*server.Services, error) {
	cfg, err := e.load(flags)
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.NewTextHandler(e.Err, &slog.HandlerOptions{Level: slog.LevelError}))
	s, err := server.Open(e.ctx, cfg, log)
	if errors.Is(err, os.ErrPermission) && e.root.Data == "" && e.root.Config == "" {
		return nil, fmt.Errorf("%w; name your data folder with --data DIR", err)
	}
	return s, err
}

// with opens the services, does the work and closes them.
func (e *env) with(do func(*server.Services) error) error { return e.withSettings(nil, do) }

func (e *env) withSettings(flags map[string]string, do func(*server.Services) error) (err error) {
	s, err := e.openWith(flags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return do(s)
}

// as opens the services and acts as the account with the address.
func (e *env) as(address string, do func(*server.Services, store.Account, account.Actor) error) error {
	return e.with(func(s *server.Services) error {
		a, err := s.Accounts.Find(e.ctx, address)
		if err != nil {
			return err
		}
		return do(s, a, s.Accounts.ActorOf(a))
	})
}

// password reads a password: from standard input with --password-stdin, else
// from the terminal, twice.
func (e *env) password(fromStdin bool, prompt string) (string, error) {
	if fromStdin {
		p, err := e.readPassword()
		if err == nil && p == "" {
			err = usagef("the password on standard input is empty; give 1 to %d octets", maxPassword)
		}
		return p, err
	}
	f, ok := e.In.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return "", usagef("there is no terminal to ask for the password; give it with --password-stdin")
	}
	var got [2]string
	for i, ask := range []string{prompt, "once more"} {
		fmt.Fprintf(e.Err, "%s: ", ask)
		text, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(e.Err)
		if err != nil {
			return "", err
		}
		got[i] = string(text)
	}
	if got[0] != got[1] {
		return "", errors.New("the two passwords differ; nothing was changed")
	}
	if got[0] == "" {
		return "", errors.New("the password is empty; nothing was changed")
	}
	return got[0], nil
}

// readPassword reads standard input, without the line's end.
func (e *env) readPassword() (string, error) {
	text, err := io.ReadAll(io.LimitReader(e.In, maxPassword+2))
	if err != nil {
		return "", err
	}
	p := strings.TrimRight(string(text), "\r\n")
	if len(p) > maxPassword {
		return "", usagef("the password on standard input has more than %d octets", maxPassword)
	}
	return p, nil
}

// filePassword asks for the password that a file was given elsewhere, which may
// be none: it is asked for once, and without a terminal it is empty.
func (e *env) filePassword(fromStdin bool, prompt string) (string, error) {
	f, ok := e.In.(*os.File)
	switch {
	case fromStdin:
		return e.readPassword()
	case !ok || !term.IsTerminal(int(f.Fd())):
		return "", nil
	}
	fmt.Fprintf(e.Err, "%s (empty if it has none): ", prompt)
	text, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(e.Err)
	return string(text), err
}

// maxPassword bounds what is hashed; longer than any that people use.
const maxPassword = 1024

// printJSON writes one object a line.
func (e *env) printJSON(v any) error {
	enc := json.NewEncoder(e.Out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
