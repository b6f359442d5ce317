package cli

import (
	"encoding/json"
	"fmt"
	"runtime"
)

type versionCommand struct {
	JSON bool `help:"One JSON object."`
}

func (versionCommand) Help() string { return "Example: convene version --json" }

func (c versionCommand) Run(e *env) error {
	if c.JSON {
		return json.NewEncoder(e.Out).Encode(map[string]string{"version": version, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH})
	}
	_, err := fmt.Fprintf(e.Out, "convene %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
