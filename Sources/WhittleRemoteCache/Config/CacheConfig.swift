package import WhittleCore

/// What a cache says: which layers there are, and which steps they are the results of.
///
/// Format: BuildKit's `application/vnd.buildkit.cacheconfig.v0`. Records form a graph from sources to results; layers
/// form chains. Members called `whittle` are ours; BuildKit passes over them.
///
/// A value that was read is consistent: every index is in range, and neither layers nor records form a circle.
package struct CacheConfig: Hashable, Sendable {
    package var layers: [Layer]
    package var records: [Record]
    /// Directories of `RUN --mount=type=cache`, by the identity of the mount.
    package var mounts: [String: Mount]

    package init(layers: [Layer] = [], records: [Record] = [], mounts: [String: Mount] = [:]) {
        self.layers = layers
        self.records = records
        self.mounts = mounts
    }

    /// A layer blob over another layer.
    package struct Layer: Hashable, Sendable {
        package var blob: Digest
        /// The position of the layer below, `nil` for the lowest one.
        package var parent: Int?
        /// When the layer was made; `nil` where the writer does not say it here.
        package var created: Timestamp?
        /// The name of the form that the blob was written in (see `LayerRecord`); `nil` for a blob of another origin.
        package var form: String?

        package init(blob: Digest, parent: Int?, created: Timestamp? = nil, form: String? = nil) {
            self.blob = blob
            self.parent = parent
            self.created = created
            self.form = form
        }
    }

    /// A cache key, what it is made of, and what was the result.
    package struct Record: Hashable, Sendable {
        package var digest: Digest
        /// For each input of the step, what may stand there: at least one alternative. Empty for a record that is named by
        /// its digest alone.
        package var inputs: [[Input]]
        package var results: [Result]

        package init(digest: Digest, inputs: [[Input]] = [], results: [Result] = []) {
            self.digest = digest
            self.inputs = inputs
            self.results = results
        }
    }

    /// One alternative for an input.
    package struct Input: Hashable, Sendable {
        /// Which of the input's files count, named by a digest or path; `nil` where it counts as a whole.
        package var selector: String?
        /// The position of a record.
        package var link: Int

        package init(selector: String? = nil, link: Int) {
            self.selector = selector
            self.link = link
        }
    }

    /// A file system.
    package struct Result: Hashable, Sendable {
        package var layers: LayerList
        package var created: Timestamp
        /// What BuildKit has no word for.
        package var details: Details?

        package init(layers: LayerList, created: Timestamp, details: Details? = nil) {
            self.layers = layers
            self.created = created
            self.details = details
        }
    }

    /// The layers of a result, lowest first.
    package enum LayerList: Hashable, Sendable {
        /// This layer and all below it.
        case chain(Int)
        /// Just these.
        case list([Int])
    }

    /// What a result needs in order to stand for the step's own one in every respect.
    package struct Details: Hashable, Sendable {
        /// The newest of what went into it: files of the context, creation of base images.
        package var latestInput: Timestamp
        /// How long the step took, in nanoseconds.
        package var duration: Int64
        /// Layers without contents, which no blob stands for: the position of each among all layers, and when it was made.
        package var empty: [EmptyLayer]

        package init(latestInput: Timestamp, duration: Int64, empty: [EmptyLayer] = []) {
            self.latestInput = latestInput
            self.duration = duration
            self.empty = empty
        }
    }

    package struct EmptyLayer: Hashable, Sendable {
        package var position: Int
        package var created: Timestamp

        package init(position: Int, created: Timestamp) {
            self.position = position
            self.created = created
        }
    }

    /// The contents of a cache mount.
    package struct Mount: Hashable, Sendable {
        /// Positions of layers, lowest first.
        package var layers: [Int]
        /// When it was written.
        package var created: Timestamp

        package init(layers: [Int], created: Timestamp) {
            self.layers = layers
            self.created = created
        }
    }

    /// The positions of the layers of `list`, lowest first.
    ///
    /// - Complexity: O(layers of the result).
    package func positions(of list: LayerList) -> [Int] {
        switch list {
        case .list(let positions): return positions
        case .chain(let top):
            var positions: [Int] = []
            var next: Int? = top
            while let position = next {
                positions.append(position)
                next = layers[position].parent
            }
            return positions.reversed()
        }
    }
}
