package recur

import "testing"

func TestText(t *testing.T) {
	for _, c := range []struct{ rule, want string }{
		{"FREQ=DAILY", "Every day"},
		{"FREQ=DAILY;INTERVAL=2;COUNT=5", "Every other day, 5 times"},
		{"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;UNTIL=20260503", "Every 2 weeks on Monday and Wednesday until 3 May 2026"},
		{"FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "Every weekday"},
		{"FREQ=MONTHLY;BYMONTHDAY=15,-1", "Every month on the 15th and last day"},
		{"FREQ=MONTHLY;BYDAY=-1FR", "Every month on the last Friday"},
		{"FREQ=MONTHLY;BYDAY=2TU,4TU", "Every month on the 2nd Tuesday and the 4th Tuesday"},
		{"FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "Every month on Friday that is the 13th"},
		{"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "Every month on the last weekday"},
		{"FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=1", "Every month on the 1st weekend day"},
		{"FREQ=YEARLY", "Every year"},
		{"FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "Every year on the 4th Thursday of November"},
		{"FREQ=YEARLY;BYMONTH=5,6;BYMONTHDAY=1", "Every year on the 1st of May and June"},
		{"FREQ=YEARLY;BYYEARDAY=100", "Every year on the 100th day of the year"},
		{"FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "Every year on Monday in week 20"},
		{"FREQ=HOURLY;INTERVAL=3", "Every 3 hours"},
		{"FREQ=DAILY;BYHOUR=9,12;BYMINUTE=0,30", "Every day at 9:00, 9:30, 12:00 and 12:30"},
		{"FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10", "Every 20 minutes at hours 9 and 10"},
		{"RSCALE=CHINESE;FREQ=YEARLY", "Every year in the chinese calendar"},
		{"RSCALE=HEBREW;FREQ=YEARLY;BYMONTH=5L;BYMONTHDAY=8;SKIP=FORWARD", "Every year on the 8th of leap month 5 in the hebrew calendar, or just after where there is no such day"},
		{"RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=31;SKIP=BACKWARD", "Every month on the 31st, or just before where there is no such day"},
		{"FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;WKST=SU", "Every 2 weeks on Sunday, with weeks from Sunday"},
		{"FREQ=HOURLY;UNTIL=20260503T120000Z", "Every hour until 3 May 2026 12:00:00"},
		{"FREQ=DAILY;BYSECOND=0,30", "Every day at seconds 0 and 30"},
	} {
		if got := mustRule(t, c.rule).Text(); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.rule, got, c.want)
		}
	}
}

// german knows enough phrases to say some rules; its verbs change places.
var german = map[string]string{
	"Every weekday": "Werktags", "Every %d weeks": "Alle %d Wochen", "Every month": "Jeden Monat", "Every year": "Jedes Jahr", "Every day": "Täglich",
	"on %s": "am %s", "on the %s": "am %s", "the %s": "%s", "on the %s %s": "am %s %s", "of %s": "im %s", "in %s": "im %s", " and ": " und ", " or ": " oder ",
	"until %s": "bis zum %s", "2 January 2006": "2. January 2006", "at %s": "um %s", "%d h": "%d Uhr", ", %d times": ", %d-mal", ", once": ", einmal",
	"last": "letzten", "%dth": "%d.", "%dst": "%d.", "%dnd": "%d.", "%drd": "%d.", "%dnd to last": "%d.-letzten", "day": "Tag", "weekday": "Werktag",
	"Monday": "Montag", "Wednesday": "Mittwoch", "Friday": "Freitag", "Thursday": "Donnerstag", "May": "Mai", "November": "November", "June": "Juni",
	"in the %s calendar": "im %sen Kalender", "hebrew": "hebräisch",
}

func TestTextInAnotherLanguage(t *testing.T) {
	missing := map[string]bool{}
	translate := func(english string) string {
		if s, ok := german[english]; ok {
			return s
		}
		missing[english] = true
		return english
	}
	for _, c := range []struct{ rule, want string }{
		{"FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;COUNT=5", "Werktags, 5-mal"},
		{"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;UNTIL=20260503", "Alle 2 Wochen am Montag und Mittwoch bis zum 3. Mai 2026"},
		{"FREQ=MONTHLY;BYMONTHDAY=15,-1", "Jeden Monat am 15. und letzten Tag"},
		{"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "Jeden Monat am letzten Werktag"},
		{"FREQ=MONTHLY;BYDAY=MO,FR;BYSETPOS=-2", "Jeden Monat am 2.-letzten Montag oder Freitag"},
		{"FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "Jedes Jahr am 4. Donnerstag im November"},
		{"FREQ=DAILY;BYHOUR=9,12;COUNT=1", "Täglich um 9 Uhr und 12 Uhr, einmal"},
		{"RSCALE=HEBREW;FREQ=YEARLY", "Jedes Jahr im hebräischen Kalender"},
	} {
		if got := mustRule(t, c.rule).TextIn(translate); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.rule, got, c.want)
		}
	}
	if len(missing) > 0 {
		t.Errorf("asked for phrases that no translation has: %v", missing)
	}
}
