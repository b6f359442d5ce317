package calendar

import (
	"reflect"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/itip"
)

// TestForeseenHoldsForTheSameOnly changes each field of an arrival, those that
// will be added included: none of them may be other than was guessed, but for the
// functions that are told below.
func TestForeseenHoldsForTheSameOnly(t *testing.T) {
	message := &ical.Calendar{}
	base := func() itip.Arrival {
		return itip.Arrival{
			Message: message, Method: itip.Request, User: []ical.Address{"mailto:a@x", "mailto:b@x"}, From: "mailto:o@y", Received: time.Unix(1, 0), AutoAdd: true,
			Zone: tz.UTC, MaxAttendees: 10, Local: func(a ical.Address) bool { return a == "mailto:a@x" },
		}
	}
	f := &foreseen{arrival: base(), near: []asked{{"mailto:a@x", true}, {"mailto:c@y", false}}}
	if !f.holds(base()) {
		t.Fatal("the same does not hold")
	}
	// Consent and Member are never asked by what is foreseen; Refreshes is a
	// function of the message.
	free := map[string]bool{"Consent": true, "Member": true, "Refreshes": true}
	for i := range reflect.TypeFor[itip.Arrival]().NumField() {
		name := reflect.TypeFor[itip.Arrival]().Field(i).Name
		now := base()
		v := reflect.ValueOf(&now).Elem().Field(i)
		switch x := v.Addr().Interface().(type) {
		case **ical.Calendar:
			*x = &ical.Calendar{}
		case *itip.Memory:
			x.InvitedAs = "mailto:b@x"
		case *[]ical.Address:
			*x = []ical.Address{"mailto:a@x"}
		case *[]*ical.Calendar:
			*x = []*ical.Calendar{{}}
		case *time.Time:
			*x = x.Add(time.Second)
		case **tz.Zone:
			*x = &tz.Zone{}
		case *func(ical.Address) bool:
			if *x = func(ical.Address) bool { return true }; name == "Local" && f.holds(now) {
				t.Error("holds although another address is of this service")
			}
			*x = func(ical.Address) bool { return false }
		default:
			switch v.Kind() {
			case reflect.String:
				v.SetString(v.String() + "x")
			case reflect.Bool:
				v.SetBool(!v.Bool())
			case reflect.Int:
				v.SetInt(v.Int() + 1)
			case reflect.Func:
				v.Set(reflect.MakeFunc(v.Type(), nil))
			default:
				t.Errorf("%s: the test does not know how to change a %s", name, v.Type())
			}
		}
		if f.holds(now) != free[name] {
			t.Errorf("another %s: holds is %v", name, !free[name])
		}
	}
}
