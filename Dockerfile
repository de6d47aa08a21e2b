# acdclip with libtorch for the CPU.
#
#   docker build -t acdclip --build-arg VERSION="$(git describe --tags --always)" .
#   docker run --rm -v "$PWD:/work" acdclip predict --help
#
# The target "service" is `acdclip serve`, to which the flags of docker run are added:
#
#   docker build -t acdclip-service --target service .
#   docker run --rm --read-only -p 127.0.0.1:8080:8080 acdclip-service --class bolt

# The images are pinned by digest, so that builds are reproducible.
FROM golang:1.26.4-bookworm@sha256:5d2b868674b57c9e48cdd39e891acce4196b6926ca6d11e9c270a8f85106203d AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends g++ make git python3 python3-pip \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# Parts that rarely change come first: Go's modules, then libtorch.
COPY go.mod go.sum ./
RUN go mod download
COPY scripts ./scripts
RUN scripts/get-libtorch.sh --prefer-wheel
COPY . .
ARG VERSION=devel
RUN GOFLAGS=-trimpath make install VERSION="$VERSION" PREFIX=/opt/acdclip

FROM debian:bookworm-slim@sha256:96e378d7e6531ac9a15ad505478fcc2e69f371b10f5cdf87857c4b8188404716 AS installed
RUN apt-get update \
 && apt-get install -y --no-install-recommends libstdc++6 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 1000 acdclip
COPY --from=build /opt/acdclip /usr/local
USER acdclip
WORKDIR /work

FROM installed AS service
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=15s --start-period=5m \
 CMD ["acdclip", "doctor", "--service", "http://127.0.0.1:8080"]
ENTRYPOINT ["acdclip", "serve", "--listen", ":8080"]

# The last one is what is built without a target.
FROM installed AS program
ENTRYPOINT ["acdclip"]
CMD ["--help"]
