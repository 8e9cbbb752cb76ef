using System.CommandLine;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Cli.Commands;

internal static class NodeCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Option<string?> config = new("--config", "-c") { Description = "A configuration file (HOCON or JSON).", HelpName = "FILE" };
        Option<string?> address = new("--address") { Description = "Where to listen, host:port. [default: 127.0.0.1:7400]", HelpName = "ADDR" };
        Option<string?> name = new("--name") { Description = "The node's name. [default: host-port]", HelpName = "NAME" };
        Option<string?> dataDir = new("--data-dir") { Description = "Run directories, logs, journal and checkpoints.", HelpName = "DIR" };
        Option<string[]> seeds = new("--seed") { Description = "A node of the cluster to join; may be repeated.", HelpName = "ADDR" };
        Option<int?> slots = new("--slots") { Description = "Slots of tasks that run at once. [default: processors]", HelpName = "N" };
        Option<string[]> set = new("--set") { Description = "Any configuration key; may be repeated.", HelpName = "KEY=VALUE" };
        CliCommand command = new(
            "node",
            "Starts a node in the foreground. SIGTERM or Ctrl-C: it hands its tasks over and ends.",
            "actortrainer node",
            "actortrainer node --config node.conf",
            "actortrainer node --address 127.0.0.1:7401 --seed 127.0.0.1:7400",
            "actortrainer node --set actortrainer.logging.level=debug")
        {
            config,
            address,
            name,
            dataDir,
            seeds,
            slots,
            set,
        };
        command.SetAction(async (args, cancellationToken) =>
        {
            try
            {
                List<KeyValuePair<string, string>> overrides = [];
                Add(overrides, "actortrainer.node.address", args.GetValue(address));
                Add(overrides, "actortrainer.node.name", args.GetValue(name));
                Add(overrides, "actortrainer.node.data-dir", args.GetValue(dataDir) is string folder ? Path.GetFullPath(folder, cli.WorkingDirectory) : null);
                Add(overrides, "actortrainer.node.slots", args.GetValue(slots)?.ToString(System.Globalization.CultureInfo.InvariantCulture));
                string[] given = args.GetValue(seeds) ?? [];
                Add(overrides, "actortrainer.cluster.seed-nodes", given.Length > 0 ? $"[{string.Join(", ", given.Select(seed => $"\"{GlobalOptions.ParseNode(seed, "--seed")}\""))}]" : null);
                Add(overrides, "actortrainer.security.token-file", args.GetValue(globals.TokenFile));
                overrides.AddRange(KeyValues.Parse(args.GetValue(set), "--set", "actortrainer.logging.level=debug"));
                string? file = args.GetValue(config) is string path ? Path.GetFullPath(path, cli.WorkingDirectory) : null;
                return await cli.NodeHost.RunAsync(cli.Files.ReadNode(file, overrides), cancellationToken);
            }
            catch (ConfigException e)
            {
                await cli.Error.WriteLineAsync(e.Message);
                return ExitCodes.Usage;
            }
            catch (UsageException e)
            {
                await cli.Error.WriteLineAsync($"actortrainer: {e.Message}");
                return ExitCodes.Usage;
            }
        });
        return command;
    }

    private static void Add(List<KeyValuePair<string, string>> overrides, string key, string? value)
    {
        if (value is not null)
        {
            overrides.Add(new(key, value));
        }
    }
}
