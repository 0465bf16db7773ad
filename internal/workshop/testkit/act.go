package testkit

import (
	"context"
	"strings"

	"github.com/chromedp/chromedp"
)

// Act runs actions in a browser, one after the other. An action is tried again if the browser numbered the nodes of the page anew
// between looking one up and using it, as it may when a page has just been loaded: nothing was done then.
func Act(ctx context.Context, actions ...chromedp.Action) error {
	for _, action := range actions {
		err := chromedp.Run(ctx, action)
		for tries := 0; tries < 5 && err != nil && strings.Contains(err.Error(), "Could not find node"); tries++ {
			err = chromedp.Run(ctx, action)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
