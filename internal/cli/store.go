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
func (e *env) open() (*server.Services, error) {
	cfg, err := e.load(nil)
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
func (e *env) with(do func(*server.Services) error) (err error) {
	s, err := e.open()
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
		text, err := io.ReadAll(io.LimitReader(e.In, maxPassword+1))
		if err != nil {
			return "", err
		}
		p := strings.TrimRight(string(text), "\r\n")
		if p == "" || len(p) > maxPassword {
			return "", usagef("the password on standard input has %d octets; give 1 to %d", len(p), maxPassword)
		}
		return p, nil
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

// maxPassword bounds what is hashed; longer than any that people use.
const maxPassword = 1024

// printJSON writes one object a line.
func (e *env) printJSON(v any) error {
	enc := json.NewEncoder(e.Out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
