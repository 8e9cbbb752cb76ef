using System.CommandLine;
using System.CommandLine.Help;
using ActorTrainer.Cli.Commands;

namespace ActorTrainer.Cli;

/// <summary>The commands, and the way from arguments to an exit code.</summary>
internal static class CliProgram
{
    public static IReadOnlyList<string> RootExamples { get; } =
    ["actortrainer node", "actortrainer run -- python3 train.py", "actortrainer tasks watch"];

    public static RootCommand Build(CliContext cli)
    {
        GlobalOptions globals = new();
        RootCommand root = new("Keeps training running: tasks go on elsewhere when their node is lost.")
        {
            NodeCommand.Create(cli, globals),
            RunCommand.Create(cli, globals),
            SubmitCommand.Create(cli, globals),
            new CliCommand("tasks", "Lists, shows and steers tasks.", "actortrainer tasks ls", "actortrainer tasks logs -f digits")
            {
                TasksLsCommand.Create(cli, globals),
                TasksShowCommand.Create(cli, globals),
                TasksWatchCommand.Create(cli, globals),
                TasksLogsCommand.Create(cli, globals),
                TasksWaitCommand.Create(cli, globals),
                TasksPauseCommand.Create(cli, globals),
                TasksResumeCommand.Create(cli, globals),
                TasksCancelCommand.Create(cli, globals),
                TasksSaveCommand.Create(cli, globals),
                TasksRestoreCommand.Create(cli, globals),
                TasksMigrateCommand.Create(cli, globals),
            },
            new CliCommand(
                "cluster",
                "Shows the nodes; takes them out of service and back.",
                "actortrainer cluster show",
                "actortrainer cluster drain 127.0.0.1:7401"
            )
            {
                ClusterShowCommand.Create(cli, globals),
                ClusterDrainCommand.Create(cli, globals),
                ClusterCordonCommand.Create(cli, globals),
                ClusterUncordonCommand.Create(cli, globals),
            },
            new CliCommand(
                "shards",
                "Shows which node owns which shards.",
                "actortrainer shards ls",
                "actortrainer shards show --task digits"
            )
            {
                ShardsLsCommand.Create(cli, globals),
                ShardsShowCommand.Create(cli, globals),
            },
            CreateCheckpoints(cli, globals),
            EventsCommand.Create(cli, globals),
            CommitCommand.Create(cli, globals),
            new CliCommand("config", "Checks and shows configuration files.", "actortrainer config check node.conf")
            {
                ConfigCheckCommand.Create(cli, globals),
                ConfigShowCommand.Create(cli, globals),
            },
            DoctorCommand.Create(cli, globals),
            VersionCommand.Create(cli, globals),
        };
        root.HelpName = "actortrainer";
        globals.AddTo(root);
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Description = "Show this help.";
        help.Action = new HelpWithExamples((HelpAction)help.Action!, Math.Clamp(cli.Width, CliContext.PipedWidth, 120));
        VersionOption version = root.Options.OfType<VersionOption>().Single();
        version.Description = "Show the version.";
        return root;
    }

    public static async Task<int> RunAsync(string[] args, CliContext cli)
    {
        RootCommand root = Build(cli);
        string[] marked = CommandBoundary.Mark(root, args, out CliCommand? taker, out string? unknown);
        if (taker is not null && unknown is not null)
        {
            return await RefuseAsync(cli, taker, UsageText.UnknownOption(taker, unknown));
        }

        ParseResult parsed = root.Parse(marked);
        if (parsed.Action is not HelpWithExamples && UsageText.Describe(parsed) is string problem)
        {
            return await RefuseAsync(cli, parsed.CommandResult.Command, problem);
        }

        if (taker is not null && CommandBoundary.Strays(taker, args, marked) is { } strays)
        {
            await cli.Error.WriteLineAsync($"actortrainer: {strays}");
        }

        InvocationConfiguration configuration = new()
        {
            Output = cli.Out,
            Error = cli.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null, // commands that wait catch Ctrl-C themselves, the node's host likewise
        };
        return await parsed.InvokeAsync(configuration);
    }

    private static CliCommand CreateCheckpoints(CliContext cli, GlobalOptions globals) =>
        new CliCommand(
            "checkpoints",
            "Lists, shows, verifies, keeps, removes, exports and imports checkpoints.",
            "actortrainer checkpoints ls digits",
            "actortrainer checkpoints verify digits"
        )
        {
            CheckpointsLsCommand.Create(cli, globals),
            CheckpointsShowCommand.Create(cli, globals),
            CheckpointsVerifyCommand.Create(cli, globals),
            CheckpointsPinCommand.Create(cli, globals),
            CheckpointsUnpinCommand.Create(cli, globals),
            CheckpointsTagCommand.Create(cli, globals),
            CheckpointsRmCommand.Create(cli, globals),
            CheckpointsGcCommand.Create(cli, globals),
            CheckpointsExportCommand.Create(cli, globals),
            CheckpointsImportCommand.Create(cli, globals),
        };

    private static async Task<int> RefuseAsync(CliContext cli, Command command, string problem)
    {
        string path = UsageText.PathOf(command);
        await cli.Error.WriteLineAsync($"{path}: {problem}");
        await cli.Error.WriteLineAsync($"See '{path} --help'.");
        return ExitCodes.Usage;
    }
}
