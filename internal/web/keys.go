package web

import (
	"encoding/base64"
	"fmt"
	"net/http"

	"github.com/convene-cal/convene/internal/keyring"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Keys and certificates: one's own with which mail is signed, those of the
// people one has to do with, and, for administrators, the site's.

// keysOf is whose keys a request is about.
func (a *app) keysOf(r *request) (store.AccountID, error) {
	if a.o.Keys == nil {
		return 0, problem.New(problem.NotFound, "Keys are not kept here.")
	}
	if r.URL.Query().Get("site") == "" {
		return r.who.Account, nil
	}
	return store.Site, administers(r)
}

func (a *app) getKeys(r *request) (any, error) {
	of, err := a.keysOf(r)
	if err != nil {
		return nil, err
	}
	list, err := a.o.Keys.List(r.ctx(), of)
	if err != nil {
		return nil, err
	}
	return append([]keyring.Key{}, list...), nil
}

// mailAddresses are the person's addresses that a key can stand for.
func (a *app) mailAddresses(r *request) (out []string, err error) {
	list, err := a.o.Accounts.Addresses(r.ctx(), r.who.Account)
	for _, x := range list {
		if e := x.Email(); e != "" {
			out = append(out, e)
		}
	}
	return out, err
}

func (a *app) postKey(r *request) (any, error) {
	var q struct {
		Kind string `json:"kind"` // rsa, ec, pgp
	}
	if err := r.read(&q); err != nil {
		return nil, err
	}
	of, err := a.keysOf(r)
	if err != nil {
		return nil, err
	}
	if of == store.Site {
		return nil, problem.New(problem.BadInput, "The site's authority is made when its first key is.")
	}
	if q.Kind != "rsa" && q.Kind != "ec" && q.Kind != "pgp" {
		return nil, problem.New(problem.BadInput, "A key is of the kind rsa, ec or pgp, not %q.", q.Kind)
	}
	me, err := a.o.Accounts.Account(r.ctx(), of)
	if err != nil {
		return nil, err
	}
	addresses, err := a.mailAddresses(r)
	if err != nil {
		return nil, err
	}
	if _, err := a.o.Keys.Generate(r.ctx(), of, me.DisplayName, addresses, q.Kind); err != nil {
		return nil, err
	}
	return a.getKeys(r)
}

// keyFile is a file of keys on the wire.
type keyFile struct {
	Data     string `json:"data"` // base64
	Password string `json:"password"`
	Own      bool   `json:"own"` // a key of one's own; else a certificate or key that is to be believed
}

// maxKeyFile is far above any certificate chain, octets.
const maxKeyFile = 1 << 20

func (a *app) importKey(r *request) (any, error) {
	var q keyFile
	if err := r.read(&q); err != nil {
		return nil, err
	}
	of, err := a.keysOf(r)
	if err != nil {
		return nil, err
	}
	data, err := base64.StdEncoding.DecodeString(q.Data)
	if err != nil || len(data) == 0 || len(data) > maxKeyFile {
		return nil, problem.New(problem.BadInput, "This is no file of keys: it is empty, larger than %d kB, or did not come whole.", maxKeyFile>>10)
	}
	if q.Own && of != store.Site {
		addresses, err := a.mailAddresses(r)
		if err != nil {
			return nil, err
		}
		_, err = a.o.Keys.Import(r.ctx(), of, addresses, data, q.Password)
		if err != nil {
			return nil, err
		}
		return a.getKeys(r)
	}
	if _, err := a.o.Keys.Trust(r.ctx(), of, data); err != nil {
		return nil, err
	}
	return a.getKeys(r)
}

func (a *app) revokeKey(r *request) (any, error) {
	of, err := a.keysOf(r)
	if err != nil {
		return nil, err
	}
	if _, err := a.o.Keys.Revoke(r.ctx(), of, r.PathValue("fingerprint")); err != nil {
		return nil, err
	}
	return a.getKeys(r)
}

func (a *app) deleteKey(r *request) (any, error) {
	of, err := a.keysOf(r)
	if err != nil {
		return nil, err
	}
	if err := a.o.Keys.Delete(r.ctx(), of, r.PathValue("fingerprint")); err != nil {
		return nil, err
	}
	return a.getKeys(r)
}

// exportKey gives the public part of a key as a file.
func (a *app) exportKey(w http.ResponseWriter, r *http.Request) {
	who, err := a.session(r)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	req := &request{Request: r, w: w, who: who}
	of := who.Account
	if r.URL.Query().Get("site") != "" {
		of = store.Site // what the site is known by is no secret: people hand it to those who are to believe it
	}
	if a.o.Keys == nil {
		a.refuse(w, r, problem.New(problem.NotFound, "Keys are not kept here."))
		return
	}
	fingerprint := r.PathValue("fingerprint")
	data, err := a.o.Keys.Export(req.ctx(), of, fingerprint, "")
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%.16s.pem"`, fingerprint))
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(data)
}
