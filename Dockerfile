# Fast-SCNN Live without a window: headless runs, batches, and the page of --serve.
#
#   docker build -t fastscnn-live .
#   docker run --rm -v "$PWD:/data" fastscnn-live clip.mp4 --headless -o out.mp4
#   docker run --rm -p 8765:8765 fastscnn-live demo --headless --serve 0.0.0.0:8765 --serve-token WORD

FROM python:3.12-slim

# OpenCV's wheel needs these two; no display, so none of Qt's.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*

# The CPU build first: plain torch brings gigabytes of CUDA. For a card take another index.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN pip install --no-cache-dir torch --index-url "$TORCH_INDEX"

COPY pyproject.toml README.md LICENSE /src/
COPY app /src/app
COPY assets /src/assets
COPY fastscnn /src/fastscnn
COPY weights /src/weights
RUN pip install --no-cache-dir "/src[fast,serve]" && rm -rf /src

RUN useradd --create-home --uid 1000 user
USER user
WORKDIR /data
ENTRYPOINT ["fastscnn-live"]
CMD ["--help"]
