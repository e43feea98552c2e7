package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
)

type listing struct {
	ID    int     `json:"id"`
	Price float64 `json:"price"`
	Sqm   float64 `json:"sqm"`
}

func pricePerSqm(l listing) float64 { return l.Price / l.Sqm }

func main() {
	home := listing{1, 300000, 80}
	if len(os.Args) > 1 && os.Args[1] == "--once" {
		_, err := os.Stat("/etc/ssl/certs/ca-certificates.crt")
		fmt.Println(pricePerSqm(home), err == nil)
		return
	}
	http.HandleFunc("/", func(response http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(response).Encode(home)
	})
	log.Fatal(http.ListenAndServe(":8080", nil))
}
