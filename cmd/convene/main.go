// Convene keeps calendars and schedules with anyone. `convene --help` lists
// its commands; `convene demo` shows them at work.
package main

import (
	"os"

	"github.com/convene-cal/convene/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], cli.Std()))
}
