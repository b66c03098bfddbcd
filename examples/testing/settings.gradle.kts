rootProject.name = "testing-example"
