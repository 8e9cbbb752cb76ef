using System.Text.Json;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Hocon;

namespace ActorTrainer.Core.Tests.Configuration;

/// <summary>Bundle, links and state of a task: rules, file, hash.</summary>
public sealed class TaskFolderTests
{
    private static readonly string Hash = new('a', 64);
    private static readonly BundleSpec Bundle = new(Hash, 100, 2);

    private static readonly TaskSpec Good = new()
    {
        Name = "a",
        Command = ["x"],
        Bundle = Bundle,
        Links = new Dictionary<string, string> { ["data"] = "/mnt/data" },
        State = ["snapshot.pt", "runs/*/checkpoints"],
    };

    public static TheoryData<TaskSpec, string> Broken =>
        new()
        {
            { Good with { WorkingDirectory = "/w" }, "bundle needs a working directory of the run's own" },
            { Good with { WorkingDirectory = "/w", Bundle = null }, "links needs a working directory of the run's own" },
            {
                new TaskSpec
                {
                    Name = "a",
                    Command = ["x"],
                    WorkingDirectory = "/w",
                    State = ["s"],
                },
                "state needs a working directory"
            },
            { Good with { Command = null, Trainer = new TrainerSpec("T", null, null) }, "bundle is of commands" },
            { Good with { Bundle = Bundle with { Hash = Hash.ToUpperInvariant() } }, "bundle.hash is 'AAA" },
            { Good with { Bundle = Bundle with { Hash = "../../x" } }, "it must be 64 lower-case hexadecimal digits" },
            {
                Good with
                {
                    Bundle = Bundle with { Bytes = (1L << 30) + 1 },
                },
                "bundle.bytes is 1073741825; it must be from 0 to 1073741824"
            },
            { Good with { Bundle = Bundle with { Files = 0 } }, "bundle.files is 0; it must be from 1 to 100000" },
            { WithLink("data", "mnt/data"), "links: 'data' leads to 'mnt/data', which is not a full path" },
            { WithLink("data", null!), "links: 'data' leads to '', which is not a full path" },
            { WithLink("../data", "/x"), "links: '../data' leads out of the working directory" },
            { WithLink("/data", "/x"), "links: '/data' is a full path" },
            { WithLink("data/", "/x"), "links: 'data/' ends with a slash" },
            {
                Good with
                {
                    Links = new Dictionary<string, string> { ["data"] = "/x", ["data/sub"] = "/y" },
                },
                "'data/sub' would stand behind the link 'data'"
            },
            {
                Good with
                {
                    State = ["data"],
                },
                "state: 'data' is a link, and what is there is never in a checkpoint; let the script save in"
            },
            { Good with { State = ["s", "data/ck"] }, "state: 'data/ck' lies behind the link 'data', and" },
            { Good with { State = ["data/*"] }, "state: 'data/*' lies behind the link 'data', and" },
            { Good with { State = ["/s"] }, "state: '/s' is a full path; write it relative to the working directory" },
            { Good with { State = ["a/../s"] }, "state: 'a/../s' leads out of the working directory" },
            { Good with { State = ["a//s"] }, "state: 'a//s' has an empty segment" },
            { Good with { State = ["./s"] }, "state: './s' has an empty segment or one that is a dot" },
            {
                Good with
                {
                    State = ["."],
                },
                "state: '.' is the whole working directory; name the files or folders in it that the script saves"
            },
            { Good with { State = [" "] }, "state: ' ' is not a path" },
            { Good with { State = [null!] }, "state: '' is null" },
            { Good with { State = [.. Enumerable.Range(0, 1001).Select(i => $"s{i}")] }, "more than 1000 links or patterns" },
        };

    [Theory]
    [MemberData(nameof(Broken))]
    public void Problem_OneRuleBroken_NamesIt(TaskSpec spec, string said) =>
        TaskSpecRules.Problem(spec).ShouldNotBeNull().ShouldContain(said);

    [Fact]
    public void Problem_NothingBroken_IsNone() => TaskSpecRules.Problem(Good).ShouldBeNull();

    [Theory]
    [InlineData("*")]
    [InlineData("**")]
    [InlineData("data2")]
    [InlineData("out/data")]
    public void Problem_StateBesideALink_IsNone(string pattern) => TaskSpecRules.Problem(Good with { State = [pattern] }).ShouldBeNull();

    [Fact]
    public void ReadDraft_BundleLinksAndState_ReachTheSpecificationWithoutAWorkingDirectory()
    {
        string folder = Directory.CreateTempSubdirectory("actortrainer-test-").FullName;
        try
        {
            string file = Path.Combine(folder, "t.conf");
            File.WriteAllText(
                file,
                """
                task {
                  name = a, command = [x], bundle = code, bundle-limit = 1 GiB
                  links = [data, "models=/mnt/models"], state = [snapshot.pt, "runs/*/checkpoints"]
                }
                """
            );

            TaskDraft draft = TaskFile.ReadDraft(file);

            draft.Bundle.ShouldBe(new BundleSource(Path.Combine(folder, "code"), 1L << 30));
            draft.Spec.WorkingDirectory.ShouldBeNull();
            draft.Spec.Links.ShouldBe(
                new Dictionary<string, string> { ["data"] = Path.Combine(folder, "code", "data"), ["models"] = "/mnt/models" },
                ignoreOrder: true
            );
            draft.Spec.State.ShouldBe(["snapshot.pt", "runs/*/checkpoints"]);
            Should.Throw<ConfigException>(() => TaskFile.Read(file)).Message.ShouldContain("has to be packed: read it as a draft");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData(
        "bundle = ., working-directory = .",
        "t.conf:1:1: task: bundle needs a working directory of the run's own, and working-directory names another "
            + "one; remove one of the two."
    )]
    [InlineData("bundle = \"\"", "t.conf:1:40: task.bundle is '': that is not a path; write one, or remove the key.")]
    [InlineData("bundle-limit = 2 GiB", "t.conf:1:46: task.bundle-limit is '2 GiB': it must be from 1 B to 1 GiB.")]
    [InlineData(
        "links = [\"a=b\"]",
        "t.conf:1:40: task.links has an entry 'a' that leads to 'b', which is not a full path; write \"a=/full/path\"."
    )]
    [InlineData("links = [a, \"a=/b\"]", "t.conf:1:43: task.links names 'a' twice; keep one of them.")]
    [InlineData(
        "links = [\"..\"]",
        "t.conf:1:40: task.links has an entry '..' that leads out of the working directory; write a path without '..'."
    )]
    [InlineData(
        "state = [\"/s\"]",
        "t.conf:1:40: task.state has a pattern '/s' that is a full path; write it relative to the working directory."
    )]
    [InlineData(
        "links = [\"data=/x\"], state = [data/ck]",
        "t.conf:1:1: task: state: 'data/ck' lies behind the link 'data', and what is there is never in a checkpoint; let the script "
            + "save in a folder that is no link, such as 'checkpoints', and name that one."
    )]
    public void ReadDraft_Mistake_SaysWhereWhatAndWhatToDo(string keys, string message) =>
        Should
            .Throw<ConfigException>(() =>
                TaskSpecReader.ReadDraft(
                    HoconReader.ReadText($"task {{ name = a, command = x, {keys} }}", "t.conf"),
                    ConfigPaths.Resolver("/work")
                )
            )
            .Message.ShouldBe(message);

    [Fact]
    public void Compute_ChangedBundle_IsAnotherSpecificationAndNoneIsAsBefore()
    {
        TaskSpec plain = new() { Name = "a", Command = ["x"] };

        TaskSpecHash.Compute(Good with { Bundle = Bundle with { Hash = new string('b', 64) } }).ShouldNotBe(TaskSpecHash.Compute(Good));
        TaskSpecHash.Compute(plain with { Links = new Dictionary<string, string>(), State = [] }).ShouldBe(TaskSpecHash.Compute(plain));
        JsonSerializer
            .Serialize(Good, CoreJsonContext.Default.TaskSpec)
            .ShouldContain(
                $$"""
                "bundle":{"hash":"{{Hash}}","bytes":100,"files":2},"links":{"data":"/mnt/data"},"state":["snapshot.pt","runs/*/checkpoints"]
                """
            );
    }

    [Fact]
    public void Read_JournalOfAVersionThatDidNotKnowThem_HasNone()
    {
        TaskSpec spec = JsonSerializer.Deserialize("""{"name":"a","command":["x"]}""", CoreJsonContext.Default.TaskSpec)!;

        (spec.Bundle, spec.Links.Count, spec.State.Count).ShouldBe((null, 0, 0));
    }

    private static TaskSpec WithLink(string name, string target) =>
        Good with
        {
            Links = new Dictionary<string, string> { [name] = target },
        };
}
