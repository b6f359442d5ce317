package main

import (
	"bytes"
	"time"

	arran "github.com/arran4/golang-ical"
	emersion "github.com/emersion/go-ical"
	"github.com/teambition/rrule-go"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
)

var peers = []peer{
	{
		name:      "convene",
		parse:     func(data []byte) (any, error) { return ical.Parse(data) },
		serialize: func(parsed any) (int, error) { return len(parsed.(*ical.Calendar).Bytes()), nil },
		change: func(parsed any) {
			for _, e := range parsed.(*ical.Calendar).Components {
				for _, p := range e.Properties {
					p.SetValue(p.Value())
				}
			}
		},
		expand: func(r rule) (func() int, error) {
			cal, err := ical.Parse([]byte("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTART;TZID=" + ruleZone + ":" + ruleStart + "\r\nRRULE:" + r.text + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
			if err != nil {
				return nil, err
			}
			set, err := recur.New(cal, tz.NewResolver(cal, nil), recur.Options{})
			if err != nil {
				return nil, err
			}
			from, to := window(r)
			return func() (n int) {
				for range set.Between(from, to) {
					n++
				}
				return n
			}, nil
		},
	},
	{
		name:  "go-ical",
		parse: func(data []byte) (any, error) { return emersion.NewDecoder(bytes.NewReader(data)).Decode() },
		serialize: func(parsed any) (int, error) {
			var b bytes.Buffer
			err := emersion.NewEncoder(&b).Encode(parsed.(*emersion.Calendar))
			return b.Len(), err
		},
	},
	{
		name:      "golang-ical",
		parse:     func(data []byte) (any, error) { return arran.ParseCalendar(bytes.NewReader(data)) },
		serialize: func(parsed any) (int, error) { return len(parsed.(*arran.Calendar).Serialize()), nil },
	},
}

// expanders have rules alone.
var expanders = []peer{{
	name: "rrule-go",
	expand: func(r rule) (func() int, error) {
		zone, err := time.LoadLocation(ruleZone)
		if err != nil {
			return nil, err
		}
		option, err := rrule.StrToROption(r.text)
		if err != nil {
			return nil, err
		}
		if option.Dtstart, err = time.ParseInLocation("20060102T150405", ruleStart, zone); err != nil {
			return nil, err
		}
		rr, err := rrule.NewRRule(*option)
		if err != nil {
			return nil, err
		}
		from, to := window(r)
		return func() int { return len(rr.Between(from, to, true)) }, nil
	},
}}

// window reads the days of a rule's window, which are constants.
func window(r rule) (from, to time.Time) {
	from, _ = time.Parse("20060102", r.from)
	to, _ = time.Parse("20060102", r.to)
	return from, to
}
