package imip

import (
	"fmt"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/imip/phrase"
	"github.com/convene-cal/convene/itip"
)

// Press composes mails one after the other. What a mail has in common with the
// one before it is made once: the guests of a meeting mostly get the same object,
// and each mail may have a megaoctet of guests in it. The zero value is ready. A
// calendar object that was given must not be changed between. Not for several
// goroutines at once.
type Press struct {
	cal    *ical.Calendar
	files  bool // files lie in the object: they become parts, named after the mail
	method itip.Method
	whole  part // the object as the text/calendar of the mail
	copy   part // and as a file
	spoken words
	ready  bool // spoken is that of this object, in zone and in its language
	zone   *tz.Zone
}

// load forgets what was made of another object.
func (p *Press) load(cal *ical.Calendar) {
	if p.cal != cal {
		*p = Press{cal: cal, files: hasBinary(cal)}
	}
}

// words puts the object into text.
func (p *Press) words(o Options) words {
	language, _ := phrase.Of(o.Language)
	if !p.ready || p.zone != o.Zone || p.spoken.language != language {
		p.spoken, p.zone, p.ready = newWords(p.cal, o.Zone, language), o.Zone, true
	}
	return p.spoken
}

// object encodes the calendar object for the alternative and as the file, with
// the files that it names.
func (p *Press) object(m itip.Message, identity string) (object, file part, files []part, left []string) {
	if p.whole.header != "" && p.method == m.Method {
		return p.whole, p.copy, nil, nil
	}
	whole, files, left := detach(m.Calendar, identity)
	text := fold(whole.Bytes())
	object = leaf(fmt.Sprintf(`text/calendar; charset="UTF-8"; method=%s; component=%s`, m.Method, m.Calendar.Kind()), "", text, false)
	file = leaf(`application/ics; name="invite.ics"`, `attachment; filename="invite.ics"`, text, true)
	if !p.files {
		p.whole, p.copy, p.method = object, file, m.Method
	}
	return object, file, files, left
}
