using System.ComponentModel;

namespace ActorTrainer.Build;

/// <summary>Something outside .NET that some tests or parts of the demo need.</summary>
/// <param name="Name">The value of the trait <c>Requires</c> of tests that need it.</param>
/// <param name="Covers">What is left out without it.</param>
/// <param name="Packages">The Debian packages that bring it.</param>
/// <param name="Remedy">What brings it elsewhere, for the user.</param>
internal sealed record Requirement(string Name, string Covers, IReadOnlyList<string> Packages, string Remedy);

/// <summary>What the machine has.</summary>
/// <param name="Missing">What it lacks.</param>
/// <param name="Environment">Variables for suites, demo and benches that say where things were found.</param>
internal sealed record SetupOutcome(IReadOnlyList<Requirement> Missing, IReadOnlyDictionary<string, string> Environment);

/// <summary>Finds, and on Debian as root installs, what the suites and the demo need besides the .NET SDK.</summary>
internal static class Setup
{
    /// <summary>Names the Python that has torch and numpy.</summary>
    public const string PythonVariable = "ACTORTRAINER_PYTHON";

    /// <summary>Names the folder with PostgreSQL's programs.</summary>
    public const string PostgreSqlVariable = "POSTGRESQL_BIN";

    /// <summary>Names the program of the S3-compatible server.</summary>
    public const string S3ServerVariable = "ACTORTRAINER_S3RVER";

    /// <summary>Python with PyTorch.</summary>
    public static Requirement Torch { get; } =
        new(
            "torch",
            "what needs PyTorch",
            ["python3-torch", "python3-numpy"],
            "Needs a python3 that imports torch and numpy: "
                + "'apt-get install python3-torch python3-numpy' or 'pip install torch numpy' brings it, "
                + $"or set {PythonVariable} to one."
        );

    /// <summary>PostgreSQL's server.</summary>
    public static Requirement PostgreSql { get; } =
        new(
            "postgresql",
            "what needs PostgreSQL",
            ["postgresql"],
            "Needs PostgreSQL's initdb and pg_ctl: 'apt-get install postgresql' brings them, "
                + $"or set {PostgreSqlVariable} to the folder that they are in."
        );

    /// <summary>An S3-compatible server.</summary>
    public static Requirement S3 { get; } =
        new(
            "s3",
            "what needs an S3-compatible server",
            ["nodejs", "npm"],
            "Needs node and npm, which then brings s3rver: 'apt-get install nodejs npm' brings them, "
                + $"or set {S3ServerVariable} to s3rver's bin/s3rver.js."
        );

    /// <summary>Network namespaces, in which nodes have addresses of their own and links that can be cut.</summary>
    public static Requirement Namespaces { get; } =
        new(
            "namespaces",
            "what cuts the network between nodes",
            ["iproute2"],
            "Needs root, and 'ip netns' with bridges and veth links: 'apt-get install iproute2' brings ip, "
                + "and a container has to be privileged."
        );

    /// <summary>A Python that makes virtual environments with pip in them.</summary>
    public static Requirement Venv { get; } =
        new(
            "venv",
            "what makes virtual environments",
            ["python3", "python3-venv"],
            "Needs a python3 that makes virtual environments: 'apt-get install python3-venv' brings its module."
        );

    /// <summary>What checkpoints are measured beside.</summary>
    public static Requirement Archivers { get; } =
        new(
            "archivers",
            "what is measured beside restic and zstd",
            ["restic", "zstd"],
            "Needs restic and zstd: 'apt-get install restic zstd' brings them."
        );

    /// <summary>Looks, installs where it can, and says on <paramref name="log"/> what it installs.</summary>
    /// <param name="log">Where it says so.</param>
    /// <param name="wanted">What is needed.</param>
    public static async Task<SetupOutcome> RunAsync(TextWriter log, params IReadOnlyList<Requirement> wanted)
    {
        List<Requirement> missing = [];
        Dictionary<string, string> environment = [];
        foreach (Requirement requirement in wanted)
        {
            (string? variable, Func<Task<string?>> find) =
                requirement == Torch ? ((string?)PythonVariable, (Func<Task<string?>>)FindPythonAsync)
                : requirement == PostgreSql ? (PostgreSqlVariable, FindPostgreSqlAsync)
                : requirement == Venv ? (null, FindVenvAsync)
                : requirement == Archivers ? (null, FindArchiversAsync)
                : requirement == S3 ? (S3ServerVariable, () => FindS3ServerAsync(log))
                : (null, FindNamespacesAsync);
            string? found = await find();
            if (found is null && await InstallAsync(requirement, log))
            {
                found = await find();
            }

            if (found is null)
            {
                missing.Add(requirement);
            }
            else if (variable is not null)
            {
                environment[variable] = found;
            }
        }

        return new SetupOutcome(missing, environment);
    }

    /// <summary>Whether the text of <c>/etc/os-release</c> is that of Debian or of a system made from it.</summary>
    public static bool IsDebian(string osRelease) =>
        osRelease
            .Split('\n')
            .Select(line => line.Trim().Split('=', 2))
            .Where(parts => parts.Length == 2 && parts[0] is "ID" or "ID_LIKE")
            .SelectMany(parts => parts[1].Trim('"', '\'').Split(' '))
            .Contains("debian");

    /// <summary>
    /// Debian keeps the server's programs off the path, in a folder for each version; the newest counts. A link on the path may lead
    /// nowhere, so they are run. The server refuses to run as root, who therefore needs the user that the package brings.
    /// </summary>
    private static async Task<string?> FindPostgreSqlAsync()
    {
        const string Debian = "/usr/lib/postgresql";
        if (Environment.IsPrivilegedProcess && !await RunsAsync("id", ["postgres"]))
        {
            return null;
        }

        IEnumerable<string> installed = Directory.Exists(Debian)
            ? Directory.EnumerateDirectories(Debian).OrderDescending(StringComparer.Ordinal).Select(folder => Path.Combine(folder, "bin"))
            : [];
        string[] candidates =
        [
            Environment.GetEnvironmentVariable(PostgreSqlVariable) ?? "",
            .. installed,
            .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator),
        ];
        foreach (string folder in candidates.Where(folder => folder.Length > 0))
        {
            if (
                await RunsAsync(Path.Combine(folder, "initdb"), ["--version"])
                && await RunsAsync(Path.Combine(folder, "pg_ctl"), ["--version"])
            )
            {
                return folder;
            }
        }

        return null;
    }

    /// <summary>A container may have the program and not the right to use it, and a kernel no bridges, so both are made.</summary>
    private static async Task<string?> FindNamespacesAsync()
    {
        string name = $"atp{Environment.ProcessId:x}";
        bool made =
            await RunsAsync("ip", ["netns", "add", name])
            && await RunsAsync("ip", ["link", "add", $"{name}b", "type", "bridge"])
            && await RunsAsync("ip", ["link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name])
            && await RunsAsync("ip", ["link", "set", name, "master", $"{name}b"])
            && await RunsAsync("nsenter", [$"--net=/run/netns/{name}", "true"]);
        foreach (
            string[] remove in (string[][])
                [
                    ["link", "delete", name],
                    ["link", "delete", $"{name}b"],
                    ["netns", "delete", name],
                ]
        )
        {
            await RunsAsync("ip", remove);
        }

        return made ? "ip" : null;
    }

    /// <summary>npm brings the server, and what that needs, in the versions of its lock file; again when that has changed.</summary>
    private static async Task<string?> FindS3ServerAsync(TextWriter log)
    {
        if (Environment.GetEnvironmentVariable(S3ServerVariable) is { Length: > 0 } named)
        {
            return await RunsAsync("node", [named, "--version"]) ? named : null;
        }

        if (!await RunsAsync("node", ["--version"]) || !await RunsAsync("npm", ["--version"]))
        {
            return null;
        }

        Repository repository = Repository.Find();
        string folder = repository.PathOf("artifacts", "s3rver");
        string program = Path.Combine(folder, "node_modules", "s3rver", "bin", "s3rver.js");
        (string Wanted, string There)[] files =
        [
            .. new[] { "package.json", "package-lock.json" }.Select(file =>
                (repository.PathOf("eng", "s3rver", file), Path.Combine(folder, file))
            ),
        ];
        bool same = files.All(file => File.Exists(file.There) && File.ReadAllText(file.There) == File.ReadAllText(file.Wanted));
        if (!same || !await RunsAsync("node", [program, "--version"]))
        {
            log.WriteLine("Installing s3rver (npm ci) …");
            Directory.CreateDirectory(folder);
            Array.ForEach(files, file => File.Copy(file.Wanted, file.There, overwrite: true));
            ChildResult result = await ChildProcess.RunCapturedAsync(
                "npm",
                ["ci", "--no-audit", "--no-fund", "--ignore-scripts"],
                folder,
                new Dictionary<string, string>(),
                TimeSpan.FromMinutes(5)
            );
            if (result.ExitCode != 0 || result.TimedOut)
            {
                log.WriteLine("npm ci failed:");
                log.WriteLine(string.Join('\n', result.Output.TrimEnd().Split('\n').TakeLast(10)));
                File.Delete(files[^1].There);
            }
        }

        return await RunsAsync("node", [program, "--version"]) ? program : null;
    }

    private static async Task<string?> FindVenvAsync() => await RunsAsync("python3", ["-c", "import venv, ensurepip"]) ? "python3" : null;

    private static async Task<string?> FindArchiversAsync() =>
        await RunsAsync("restic", ["version"]) && await RunsAsync("zstd", ["--version"]) ? "restic" : null;

    private static async Task<bool> RunsAsync(string program, IReadOnlyList<string> arguments)
    {
        try
        {
            ChildResult result = await RunAsync(program, arguments, TimeSpan.FromSeconds(20));
            return result is { ExitCode: 0, TimedOut: false };
        }
        catch (Win32Exception)
        {
            return false;
        }
    }

    private static async Task<string?> FindPythonAsync()
    {
        string?[] candidates = [Environment.GetEnvironmentVariable(PythonVariable), "python3", "/usr/bin/python3", "python"];
        foreach (string? candidate in candidates)
        {
            if (!string.IsNullOrEmpty(candidate) && await PathWithTorchAsync(candidate) is { } path)
            {
                return path;
            }
        }

        return null;
    }

    private static async Task<bool> InstallAsync(Requirement requirement, TextWriter log)
    {
        const string OsRelease = "/etc/os-release";
        if (!Environment.IsPrivilegedProcess || !File.Exists(OsRelease) || !IsDebian(await File.ReadAllTextAsync(OsRelease)))
        {
            return false;
        }

        string packages = string.Join(' ', requirement.Packages);
        log.WriteLine($"Installing {packages} (apt-get install -y --no-install-recommends {packages}) …");
        string[][] commands =
        [
            ["update"],
            ["install", "-y", "--no-install-recommends", .. requirement.Packages],
        ];
        foreach (string[] command in commands)
        {
            ChildResult result = await RunAsync("apt-get", ["-q", .. command], TimeSpan.FromMinutes(10));
            if (result.ExitCode != 0 || result.TimedOut)
            {
                log.WriteLine($"apt-get {command[0]} failed:");
                log.WriteLine(string.Join('\n', result.Output.TrimEnd().Split('\n').TakeLast(10)));
                return false;
            }
        }

        return true;
    }

    /// <summary>The interpreter's own path, since a name or a shim may mean something else in another process's environment.</summary>
    private static async Task<string?> PathWithTorchAsync(string python)
    {
        try
        {
            ChildResult result = await RunAsync(python, ["-c", "import torch, numpy, sys; print(sys.executable)"], TimeSpan.FromMinutes(1));
            return result is { ExitCode: 0, TimedOut: false } ? result.Output.TrimEnd().Split('\n')[^1].Trim() : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    private static Task<ChildResult> RunAsync(string file, IEnumerable<string> arguments, TimeSpan timeout) =>
        ChildProcess.RunCapturedAsync(
            file,
            arguments,
            Environment.CurrentDirectory,
            new Dictionary<string, string> { ["DEBIAN_FRONTEND"] = "noninteractive" },
            timeout
        );
}
