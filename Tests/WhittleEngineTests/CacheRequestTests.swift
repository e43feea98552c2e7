import Testing
import WhittleEngine
import WhittleGraph

@Suite("Cache mounts of a step")
struct CacheRequestTests {
    private func mount(_ id: String, _ sharing: CacheMount.Sharing) -> ExecMount {
        .cache(CacheMount(id: id, target: "/\(id)", sharing: sharing))
    }

    private func requests(_ mounts: [ExecMount]) -> [String] {
        LocalWorker.cacheRequests(mounts).map { "\($0.cache.id) \($0.cache.sharing) \($0.positions)" }
    }

    @Test("are asked for in the order of their ids, whatever the order of the mounts")
    func order() {
        let mounts = [mount("b", .locked), .tmpfs(target: "/t", size: nil), mount("a", .shared), mount("c", .locked)]
        #expect(requests(mounts) == ["a shared [2]", "b locked [0]", "c locked [3]"])
    }

    @Test("are asked for once where one is mounted twice, with the stricter sharing")
    func twice() {
        #expect(requests([mount("a", .shared), mount("a", .locked), mount("a", .shared)]) == ["a locked [0, 1, 2]"])
        #expect(requests([mount("a", .shared), mount("a", .shared)]) == ["a shared [0, 1]"])
    }

    @Test("that are private come last, each with a directory of its own")
    func privateOnes() {
        #expect(
            requests([mount("a", .private), mount("a", .private), mount("b", .locked), mount("a", .locked)])
                == ["a locked [3]", "b locked [2]", "a private [0]", "a private [1]"])
    }
}
