package doctor

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical/tz"
)

// configuration looks at the files, which hold secrets.
func (x *examiner) configuration() {
	if x.File == "" {
		x.say("configuration", "", Warning, "Write one with convene init, or name it with --config.", "there is no configuration file; all settings come from defaults, the environment and flags")
	} else if info, err := os.Stat(x.File); err != nil {
		x.say("configuration", x.File, Error, "Make it readable for the user that runs the service.", "the configuration file cannot be examined: %v", err)
	} else if mode := info.Mode().Perm(); mode&0o007 != 0 && hasSecret(x.Config.Mail.Relay, x.Config.Store.URL) {
		x.say("configuration", x.File, Warning, "chmod 600 "+x.File, "everybody on this machine can read the file, and it holds a password")
	} else {
		x.say("configuration", x.File, OK, "", "the configuration file is read and consistent")
	}
	if len(x.Config.Domains) == 0 {
		x.say("configuration", "domains", Error, "Set domains to the mail domains of your people.", "no domain is ours, so every calendar address counts as foreign")
	}
}

// hasSecret tells whether one of the URLs has a password.
func hasSecret(urls ...string) bool {
	for _, s := range urls {
		if u, err := url.Parse(s); err == nil && u.User != nil {
			if _, set := u.User.Password(); set {
				return true
			}
		}
	}
	return false
}

// oldMessage is how long a message may be due before the courier is missing.
const oldMessage = time.Hour

func (x *examiner) store() {
	if x.Store == nil {
		x.say("store", "", Error, "Make the store with convene init, or name the right folder with --data.", "the store cannot be opened: %v", x.StoreErr)
		return
	}
	h, err := x.Store.Check(x.ctx) // takes as long as the store is large
	if err != nil {
		x.say("store", x.Store.Engine(), Error, "Stop the service and restore the latest backup into a new folder (convene restore).", "the store cannot be examined: %v", err)
		return
	}
	for _, damage := range h.Damage {
		x.say("store", x.Store.Engine(), Error, "Stop the service, keep a copy of the data folder, and restore the latest backup into a new one (convene restore).", "the store is damaged: %s", damage)
	}
	if len(h.Damage) == 0 {
		x.say("store", x.Store.Engine(), OK, "", "the store is whole: %d accounts, %d calendar objects", h.Accounts, h.Objects)
	}
	if h.Unindexed > 0 {
		x.say("index", "", Error, "convene doctor --rebuild", "%d objects are missing in the time index and will not be found by time", h.Unindexed)
	}
	x.say("schema", "", OK, "", "schema %d, which is what this program writes", h.Schema)
	if h.Accounts == 0 {
		x.say("accounts", "", Warning, "convene account add --admin ADDRESS", "there is no account")
	} else if h.Administrators == 0 {
		x.say("accounts", "", Warning, "convene account add --admin ADDRESS", "no account is an administrator's")
	}
	switch late := x.Now.Sub(h.OldestDue); {
	case h.OldestDue.IsZero():
		x.say("queue", "", OK, "", "no message waits")
	case late > oldMessage:
		x.say("queue", "", Warning, "Is the service running? convene message list --state due shows what waits.", "the oldest message has been due for %s", late.Round(time.Minute))
	default:
		x.say("queue", "", OK, "", "messages are sent as they fall due")
	}
	if ahead := h.Newest.Sub(x.Now); ahead > 5*time.Minute {
		x.say("clock", "", Error, "Set the clock by NTP (timedatectl set-ntp true).", "the store holds changes of %s, which is %s from now: the clock was put back", h.Newest.UTC().Format(time.RFC3339), ahead.Round(time.Minute))
	}
}

// Free space below which commits are about to fail, and below which it is time
// to act.
const (
	diskError   = 64 << 20
	diskWarning = 1 << 30
)

func (x *examiner) disk() {
	if x.Config.Store.URL != "" {
		x.say("disk", "", Off, "", "the data is in PostgreSQL; watch the disk of that machine")
		return
	}
	dir := x.Config.Data
	for _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) && filepath.Dir(dir) != dir; _, err = os.Stat(dir) {
		dir = filepath.Dir(dir) // it will be made there
	}
	free, ok := freeSpace(dir)
	const advice = "Free space on that disk, or move the data folder to a larger one."
	switch {
	case !ok:
		x.say("disk", x.Config.Data, Off, "", "this system does not tell how much space is free")
	case free < diskError:
		x.say("disk", x.Config.Data, Error, advice, "only %d MB are free", free>>20)
	case free < diskWarning:
		x.say("disk", x.Config.Data, Warning, advice, "%d MB are free", free>>20)
	default:
		x.say("disk", x.Config.Data, OK, "", "%d MB are free", free>>20)
	}
}

func (x *examiner) clock() {
	if issued, ok := zonesIssued(); ok && x.Now.Before(issued) {
		x.say("clock", "", Error, "Set the clock by NTP (timedatectl set-ntp true).", "it says %s, which is before the time zone data was made", x.Now.UTC().Format(time.RFC3339))
		return
	}
	x.say("clock", "", OK, "", "it says %s", x.Now.UTC().Format(time.RFC3339))
}

// zonesOld is the age from which some country has changed its clocks without
// our knowing: the database has a few releases a year.
const zonesOld = 400 * 24 * time.Hour

// zonesIssued is about when the embedded time zone data was published: a
// version is a year and a letter, and there are about six of them a year.
func zonesIssued() (time.Time, bool) {
	v := tz.Version()
	if len(v) < 5 {
		return time.Time{}, false
	}
	year, err := strconv.Atoi(v[:4])
	if err != nil {
		return time.Time{}, false
	}
	return time.Date(year, time.Month(1+2*strings.Index("abcdef", v[4:5])), 1, 0, 0, 0, 0, time.UTC), true
}

func (x *examiner) zones() {
	issued, ok := zonesIssued()
	switch {
	case !ok:
		x.say("zones", "", Warning, "Install a release of Convene.", "the version of the time zone data, %q, is not known", tz.Version())
	case x.Now.Sub(issued) > zonesOld:
		x.say("zones", tz.Version(), Warning, "Install a newer release of Convene.", "the time zone data is more than a year old: where a country has changed its clocks since, meetings are at wrong times")
	default:
		x.say("zones", tz.Version(), OK, "", "the time zone data is version %s", tz.Version())
	}
	if x.Config.Zones == "" {
		return
	}
	files, err := x.Config.ZoneFiles()
	if err == nil {
		var own *tz.Own
		if own, err = tz.ReadOwnFiles(files); err == nil {
			x.say("zones", x.Config.Zones, OK, "", "%d time zones are defined by this site", own.Len())
			return
		}
	}
	x.say("zones", x.Config.Zones, Error, "Correct the file; convene ical check tells what is wrong with a calendar. The service does not start with it.", "the site's own time zones cannot be read: %v", err)
}
