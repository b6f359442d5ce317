package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/keyring"
	"github.com/convene-cal/convene/internal/server"
	"github.com/convene-cal/convene/internal/store"
)

type keyCommands struct {
	Generate keyGenerate `cmd:"" help:"Make an account, or the service itself, a key certified by this site's own authority."`
	Import   keyImport   `cmd:"" help:"Take an account's own key from a PKCS #12 or PEM file."`
	Export   keyExport   `cmd:"" help:"Write a certificate, or a key with its private part."`
	List     keyList     `cmd:"" help:"List keys and certificates."`
	Trust    keyTrust    `cmd:"" help:"Believe an authority's or a person's certificate."`
	Untrust  keyUntrust  `cmd:"" help:"Believe a certificate no longer, or forget it."`
}

// keyOwner chooses an account's keys or the site's.
type keyOwner struct {
	Account string `help:"Whose keys (default: the whole site's)." placeholder:"ADDRESS"`
}

func (o keyOwner) with(e *env, do func(*server.Services, store.AccountID) error) error {
	if o.Account == "" {
		return e.with(func(s *server.Services) error { return do(s, store.Site) })
	}
	return e.as(o.Account, func(s *server.Services, a store.Account, _ account.Actor) error { return do(s, a.ID) })
}

// printKeys shows keys to people or to scripts.
func (e *env) printKeys(asJSON bool, keys ...keyring.Key) error {
	for _, k := range keys {
		if asJSON {
			if err := e.printJSON(k); err != nil {
				return err
			}
			continue
		}
		of := strings.Join(k.Addresses, ",")
		if of == "" {
			of = k.Subject
		}
		expires := ""
		if !k.Expires.IsZero() {
			expires = "until " + k.Expires.Format("2006-01-02")
		}
		if _, err := fmt.Fprintf(forPeople(e.Out), "%s %-6s %-9s %-9s %s %s\n", k.Fingerprint[:min(16, len(k.Fingerprint))], k.Protocol, k.Role, k.State, of, expires); err != nil {
			return err
		}
	}
	return nil
}

type keyGenerate struct {
	Account string `help:"Whose key (default: the service's own, for mail from addresses that it makes)." placeholder:"ADDRESS"`
	Kind    string `enum:"rsa,ec,pgp" default:"rsa" help:"S/MIME: rsa (read everywhere) or ec (smaller, faster); or pgp."`
	JSON    bool   `help:"One JSON object."`
}

func (keyGenerate) Help() string {
	return "Mail of the account is signed from now on. Others believe the signature once they have this site's\nauthority: convene key list, then convene key export FINGERPRINT.\nWithout an account, mail from addresses that the service makes itself (mail.agent-domains, letters of the\npostmaster) is signed from now on, each address with a certificate of its own.\n\nExample: convene key generate --account ann@example.org\nExample: convene key generate --kind ec"
}

func (c keyGenerate) Run(e *env) error {
	if c.Account == "" {
		return e.with(func(s *server.Services) error {
			key, err := s.Keys.GenerateService(e.ctx, s.Config.Domains, c.Kind)
			if err != nil {
				return err
			}
			return e.printKeys(c.JSON, key)
		})
	}
	return e.as(c.Account, func(s *server.Services, a store.Account, _ account.Actor) error {
		addresses, err := mailAddresses(e, s, a)
		if err != nil {
			return err
		}
		key, err := s.Keys.Generate(e.ctx, a.ID, a.DisplayName, addresses, c.Kind)
		if err != nil {
			return err
		}
		return e.printKeys(c.JSON, key)
	})
}

func mailAddresses(e *env, s *server.Services, a store.Account) (list []string, err error) {
	addresses, err := s.Accounts.Addresses(e.ctx, a.ID)
	for _, x := range addresses {
		if x.Email() != "" {
			list = append(list, x.Email())
		}
	}
	return list, err
}

type keyImport struct {
	Account       string `required:"" help:"Whose key." placeholder:"ADDRESS"`
	File          string `arg:"" help:"PKCS #12 (.p12, .pfx), PEM or OpenPGP with the private key; - is standard input."`
	PasswordStdin bool   `help:"Read the file's password from standard input."`
	JSON          bool   `help:"One JSON object."`
}

func (keyImport) Help() string {
	return "Example: convene key import --account ann@example.org ann.p12"
}

// maxKeyFile is far above any certificate chain.
const maxKeyFile = 1 << 20

func (e *env) keyFile(name string) ([]byte, error) {
	in := e.In
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxKeyFile+1))
	if err == nil && len(data) > maxKeyFile {
		return nil, fmt.Errorf("%s is larger than a key file can be (%d octets)", name, maxKeyFile)
	}
	return data, err
}

func (c keyImport) Run(e *env) error {
	if c.File == "-" && c.PasswordStdin {
		return usagef("standard input cannot be both the file and the password")
	}
	data, err := e.keyFile(c.File)
	if err != nil {
		return err
	}
	password := ""
	if !strings.Contains(string(data), "-----BEGIN ") || strings.Contains(string(data), "-----BEGIN PGP ") {
		if password, err = e.filePassword(c.PasswordStdin, "password of "+c.File); err != nil {
			return err
		}
	}
	return e.as(c.Account, func(s *server.Services, a store.Account, _ account.Actor) error {
		addresses, err := mailAddresses(e, s, a)
		if err != nil {
			return err
		}
		key, err := s.Keys.Import(e.ctx, a.ID, addresses, data, password)
		if err != nil {
			return err
		}
		return e.printKeys(c.JSON, key)
	})
}

type keyExport struct {
	keyOwner      `embed:""`
	Fingerprint   string `arg:"" help:"Its fingerprint, or at least the first 8 digits."`
	Private       bool   `help:"With the private part, as PKCS #12 under a password."`
	PasswordStdin bool   `help:"Read that password from standard input."`
}

func (keyExport) Help() string {
	return "Writes PEM, or PKCS #12 with --private, to standard output.\n\nExample: convene key export 3f2a9c1b > authority.pem"
}

func (c keyExport) Run(e *env) error {
	password := ""
	if c.Private {
		var err error
		if password, err = e.password(c.PasswordStdin, "password for the exported key"); err != nil {
			return err
		}
		if password == "" {
			return usagef("a private key is exported only under a password")
		}
	}
	return c.with(e, func(s *server.Services, id store.AccountID) error {
		out, err := s.Keys.Export(e.ctx, id, c.Fingerprint, password)
		if err != nil {
			return err
		}
		_, err = e.Out.Write(out)
		return err
	})
}

type keyList struct {
	keyOwner `embed:""`
	JSON     bool `help:"One JSON object a key."`
}

func (keyList) Help() string { return "Example: convene key list --account ann@example.org --json" }

func (c keyList) Run(e *env) error {
	return c.with(e, func(s *server.Services, id store.AccountID) error {
		keys, err := s.Keys.List(e.ctx, id)
		if err != nil {
			return err
		}
		return e.printKeys(c.JSON, keys...)
	})
}

type keyTrust struct {
	keyOwner `embed:""`
	File     string   `arg:"" help:"Certificates in PEM or DER, or OpenPGP keys; - is standard input."`
	For      []string `help:"Believe a person's certificate for these addresses only." placeholder:"ADDRESS"`
	JSON     bool     `help:"One JSON object a key."`
}

func (keyTrust) Help() string {
	return "An authority is believed for every address it certifies, a person's certificate for the addresses in it.\n\nExample: convene key trust company-ca.pem\nExample: convene key trust --account ann@example.org dave.crt"
}

func (c keyTrust) Run(e *env) error {
	data, err := e.keyFile(c.File)
	if err != nil {
		return err
	}
	return c.with(e, func(s *server.Services, id store.AccountID) error {
		keys, err := s.Keys.Trust(e.ctx, id, data, c.For...)
		if err != nil {
			return err
		}
		return e.printKeys(c.JSON, keys...)
	})
}

type keyUntrust struct {
	keyOwner    `embed:""`
	Fingerprint string `arg:"" help:"Its fingerprint, or at least the first 8 digits."`
	Forget      bool   `help:"Delete it, instead of keeping it as revoked: an own key's private part is lost."`
}

func (keyUntrust) Help() string {
	return "A revoked certificate stays listed, and what it signs is held; a forgotten one may be believed again.\n\nExample: convene key untrust --account ann@example.org 3f2a9c1b"
}

func (c keyUntrust) Run(e *env) error {
	return c.with(e, func(s *server.Services, id store.AccountID) error {
		if c.Forget {
			return s.Keys.Delete(e.ctx, id, c.Fingerprint)
		}
		key, err := s.Keys.Revoke(e.ctx, id, c.Fingerprint)
		if err != nil {
			return err
		}
		return e.printKeys(false, key)
	})
}
