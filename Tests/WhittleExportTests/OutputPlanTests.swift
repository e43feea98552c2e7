import Testing
import WhittleCore
import WhittleExport
import WhittleOCI

@Suite("OutputPlan")
struct OutputPlanTests {
    @Test("without --output, the image goes into the store under its tags")
    func standard() throws {
        let tag = try ImageReference(parsing: "app:1")
        let plan = try OutputPlan(values: ["", ""], tags: [tag])
        #expect(plan.outputs == [.image(ImageStoreOptions(format: ImageFormat(names: [tag])))])
    }

    @Test("knows what the outputs need")
    func needs() throws {
        let plan = try OutputPlan(values: ["type=oci,compression=zstd", "type=image", "out"], tags: [])
        #expect(plan.needsRootFileSystem)
        #expect(plan.usesStandardOutput)
        #expect(plan.imageFormats.map(\.compression) == [LayerCompression(.zstd), LayerCompression(.gzip)])
        #expect(!(try OutputPlan(values: ["type=cacheonly"], tags: []).needsRootFileSystem))
    }

    private func problem(
        _ values: [String], terminal: Bool = false, imageID: Bool = false
    ) throws -> BuildError? {
        let plan = try OutputPlan(values: values, tags: [])
        do throws(BuildError) {
            try plan.check(standardOutputIsTerminal: terminal, writesImageID: imageID)
            return nil
        } catch {
            return error
        }
    }

    @Test("refuses to write an archive to a terminal")
    func terminal() throws {
        let oci = try #require(try problem(["type=oci"], terminal: true))
        #expect(oci.code == .outputDestination)
        #expect(oci.message == "refusing to write the oci output to a terminal")
        #expect(oci.hint == "name a file with 'dest=FILE', or redirect standard output")
        let docker = try #require(try problem(["type=docker,dest=-"], terminal: true))
        #expect(docker.message == "refusing to write the docker output to a terminal")
        #expect(try problem(["type=oci"]) == nil)
    }

    @Test("refuses two outputs to standard output")
    func twoStreams() throws {
        let error = try #require(try problem(["type=oci", "-"]))
        #expect(error.message == "more than one output would be written to standard output")
        #expect(error.hint == "give all but one of them 'dest=FILE'")
    }

    @Test("refuses --iidfile for what is no image", arguments: ["type=local,dest=out", "type=tar"])
    func imageID(_ value: String) throws {
        let error = try #require(try problem([value], imageID: true))
        #expect(error.code == .invalidOutput)
        #expect(error.message.hasPrefix("there is no image ID to write"))
        #expect(try problem([value, "type=oci,dest=i.tar"], imageID: true) == nil)
    }

    @Test("finds destinations that cannot work before the build")
    func destinations() throws {
        try withTemporaryDirectory { directory in
            let file = "\(directory)/file"
            try write("x", to: file)
            func message(_ value: String) throws -> String? { try problem([value])?.message }
            #expect(
                try message("type=oci,dest=\(directory)") == "cannot write output '\(directory)': it is a directory")
            #expect(
                try message("type=oci,dest=\(directory)/no/o.tar")
                    == "cannot write output '\(directory)/no/o.tar': there is no directory '\(directory)/no'")
            #expect(
                try message("type=oci,dest=\(file)/o.tar")
                    == "cannot write output '\(file)/o.tar': '\(file)' is a file")
            #expect(
                try message("type=local,dest=\(file)")
                    == "cannot write into output directory '\(file)': it is a file")
            #expect(
                try message("type=oci,tar=false,dest=\(file)")
                    == "cannot write into output directory '\(file)': it is a file")
            #expect(try message("type=local,dest=\(directory)/a/b/c") == nil)
            #expect(try message("type=oci,dest=\(file)") == nil)
        }
    }
}
