package cli

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/config"
	"github.com/convene-cal/convene/internal/server"
	"github.com/convene-cal/convene/internal/store"
)

// serveCommand has a flag for each setting that the configuration marks so
// ([config.Keys]); a test keeps the two alike.
type serveCommand struct {
	Domains                   string `help:"Mail domains whose calendar addresses are ours, with commas between."`
	Hostname                  string `help:"Name of this service in mail, links and greetings."`
	StoreURL                  string `name:"store-url" help:"Empty for the embedded store, or postgres://..."`
	HTTPListen                string `name:"http-listen" help:"Address of the web and CalDAV listener." placeholder:"HOST:PORT"`
	HTTPPublicURL             string `name:"http-public-url" help:"How people reach this service." placeholder:"URL"`
	MailRelay                 string `help:"Where mail goes out: smtp://user:pass@host:587?tls=none|starttls|required." placeholder:"URL"`
	MailLMTPListen            string `name:"mail-lmtp-listen" help:"Address of the LMTP listener." placeholder:"HOST:PORT"`
	MailSMTPListen            string `name:"mail-smtp-listen" help:"Address of the SMTP listener." placeholder:"HOST:PORT"`
	MailInboundPolicy         string `help:"accept, verify or quarantine."`
	CIPListen                 string `name:"cip-listen" help:"Address of the CIP listener." placeholder:"HOST:PORT"`
	CIPTLSListen              string `name:"cip-tls-listen" help:"Address of a CIP listener whose clients begin with TLS." placeholder:"HOST:PORT"`
	CAPListen                 string `name:"cap-listen" help:"Reserved: nothing listens there yet." placeholder:"HOST:PORT"`
	PushEnabled               string `name:"push-enabled" help:"true: calendar programs are told of changes by push services." placeholder:"BOOL"`
	SubscriptionsAllowPrivate string `name:"subscriptions-allow-private" help:"true: followed calendars may come from this machine and private networks." placeholder:"BOOL"`
	LogLevel                  string `help:"debug, info, warn or error."`
	AdminListen               string `help:"Address of metrics (/metrics) and profiles for operators; off by default." placeholder:"HOST:PORT"`
}

func (serveCommand) Help() string {
	return "Runs in the foreground until SIGTERM and drains within 10 seconds. Every setting may be in convene.toml or the environment (CONVENE_HTTP_LISTEN) instead.\n\n" +
		"Example: convene serve --data /var/lib/convene --domains example.org --mail-lmtp-listen 127.0.0.1:2424"
}

// flags are the settings given, by key.
func (c serveCommand) flags() map[string]string {
	all := map[string]string{
		"domains": c.Domains, "hostname": c.Hostname, "store.url": c.StoreURL, "http.listen": c.HTTPListen, "http.public-url": c.HTTPPublicURL,
		"mail.relay": c.MailRelay, "mail.lmtp-listen": c.MailLMTPListen, "mail.smtp-listen": c.MailSMTPListen, "mail.inbound-policy": c.MailInboundPolicy,
		"cip.listen": c.CIPListen, "cip.tls-listen": c.CIPTLSListen, "cap.listen": c.CAPListen, "subscriptions.allow-private": c.SubscriptionsAllowPrivate, "push.enabled": c.PushEnabled, "log.level": c.LogLevel, "admin.listen": c.AdminListen,
	}
	for k, v := range all {
		if v == "" {
			delete(all, k)
		}
	}
	return all
}

func (c serveCommand) Run(e *env) error {
	cfg, err := e.load(c.flags())
	if err != nil {
		return err
	}
	s, err := server.New(e.ctx, cfg, logger(e, cfg))
	if err != nil {
		return err
	}
	return s.Run(e.ctx)
}

func logger(e *env, cfg config.Config) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Log.Level)); err != nil {
		level = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: level}
	if cfg.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(e.Err, o))
	}
	return slog.New(slog.NewTextHandler(e.Err, o))
}

type initCommand struct {
	Domain        []string `help:"Mail domain whose calendar addresses are ours; repeat for several (default: this machine's)." placeholder:"DOMAIN"`
	Hostname      string   `help:"Name of this service (default: cal.DOMAIN)."`
	Admin         string   `help:"Address of the first administrator (default: admin@DOMAIN)." placeholder:"ADDRESS"`
	PasswordStdin bool     `help:"Read the administrator's password from standard input."`
	Relay         string   `help:"Where mail goes out, e.g. smtp://mail.example.org:587." placeholder:"URL"`
}

func (initCommand) Help() string {
	return "Writes convene.toml and the store into the data folder, makes the first administrator and prints DNS records.\n\nExample: convene init --data /var/lib/convene --domain example.org"
}

func (c initCommand) Run(e *env) error {
	cfg := config.Default()
	if e.root.Data != "" {
		cfg.Data = e.root.Data
	}
	if len(c.Domain) == 0 {
		c.Domain = []string{ownDomain()}
	}
	cfg.Domains, cfg.Mail.Relay, cfg.Hostname = c.Domain, c.Relay, c.Hostname
	if cfg.Hostname == "" {
		cfg.Hostname = "cal." + c.Domain[0]
	}
	if err := cfg.Validate(); err != nil {
		return usageError{err}
	}
	admin := c.Admin
	if admin == "" {
		admin = "admin@" + c.Domain[0]
	}
	file := filepath.Join(cfg.Data, config.FileName)
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is there already; edit it, or choose another folder with --data", file)
	}
	password, made, err := c.password(e, admin)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(file, cfg.Encode(), 0o600); err != nil {
		return err
	}
	err = e.with(func(s *server.Services) error {
		_, err := s.Accounts.Add(e.ctx, account.NewAccount{Address: ical.ParseAddress(admin), Password: password, Kind: store.Individual, Admin: true})
		return err
	})
	if err != nil {
		os.Remove(file)
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Wrote %s and the store, with %s as administrator.\n", file, admin)
	if made {
		fmt.Fprintf(&b, "The administrator's password is %s (shown this once; convene account set-password changes it).\n", password)
	}
	fmt.Fprintf(&b, "\nDNS records by which clients find the service (RFC 6764):\n")
	for _, d := range c.Domain {
		fmt.Fprintf(&b, "  _caldavs._tcp.%s.  IN SRV 0 1 443 %s.\n  _caldavs._tcp.%s.  IN TXT \"path=/dav/\"\n", d, cfg.Hostname, d)
	}
	fmt.Fprintf(&b, "\nNext: put TLS in front (or set http.tls), then  convene serve --data %s\n", cfg.Data)
	_, err = fmt.Fprint(e.Out, b.String())
	return err
}

// ownDomain is the domain of this machine's name.
func ownDomain() string {
	host, err := os.Hostname()
	if _, domain, ok := strings.Cut(host, "."); err == nil && ok && strings.Contains(domain, ".") {
		return domain
	}
	return "example.org" // to be edited: RFC 2606
}

// password asks for the administrator's password, and makes one where nobody
// can be asked.
func (c initCommand) password(e *env, admin string) (password string, made bool, err error) {
	if f, ok := e.In.(*os.File); c.PasswordStdin || ok && term.IsTerminal(int(f.Fd())) {
		password, err = e.password(c.PasswordStdin, "password for "+admin)
		return password, false, err
	}
	return rand.Text(), true, nil
}

type backupCommand struct {
	File string `arg:"" help:"Archive to write; it must not exist."`
}

func (backupCommand) Help() string {
	return "Consistent, taken while the service runs, restored on SQLite or PostgreSQL.\n\nExample: convene backup /backup/today.zip --data /var/lib/convene"
}

func (c backupCommand) Run(e *env) error {
	if _, err := os.Lstat(c.File); err == nil {
		return fmt.Errorf("%s is there already and is not written over; name another file", c.File)
	}
	return e.with(func(s *server.Services) error { return s.Store.Backup(e.ctx, c.File, e.rows("rows written")) })
}

type restoreCommand struct {
	File string `arg:"" help:"Archive that convene backup wrote."`
}

func (restoreCommand) Help() string {
	return "The store must be empty.\n\nExample: convene restore /backup/today.zip --data /var/lib/convene-new"
}

func (c restoreCommand) Run(e *env) error {
	return e.with(func(s *server.Services) error { return s.Store.Restore(e.ctx, c.File, e.rows("rows restored")) })
}

type migrateStoreCommand struct {
	To string `required:"" help:"Where to: postgres://… with an empty database, or an empty folder for the embedded store." placeholder:"URL|DIR"`
}

func (migrateStoreCommand) Help() string {
	return "Copies everything but signed-in browsers; stop the service first, then set store.url (or data) to the new place. The old store stays as it is.\n\nExample: convene migrate-store --to postgres://convene@db/convene --data /var/lib/convene"
}

func (c migrateStoreCommand) Run(e *env) error {
	return e.with(func(s *server.Services) (err error) {
		to := store.Options{Dir: c.To}
		if strings.Contains(c.To, "://") {
			to = store.Options{URL: c.To}
		}
		dir, err := os.MkdirTemp("", "convene-migrate-")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		archive := filepath.Join(dir, "archive")
		if err := s.Store.Backup(e.ctx, archive, e.rows("rows read")); err != nil {
			return err
		}
		target, err := store.Open(e.ctx, to)
		if err != nil {
			return fmt.Errorf("open the new store: %w", err)
		}
		defer func() { err = errors.Join(err, target.Close()) }()
		return target.Restore(e.ctx, archive, e.rows("rows written"))
	})
}

// rows tells how many rows long work on the store has come to.
func (e *env) rows(what string) func(int64) {
	told := e.progress(what)
	return func(n int64) { told.add(int(n) - told.n) }
}
