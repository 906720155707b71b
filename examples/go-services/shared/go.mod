module chorus.example/shared

go 1.26.0
