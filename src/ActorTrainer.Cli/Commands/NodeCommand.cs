using System.CommandLine;
using System.Globalization;
using ActorTrainer.Cli.Hosting;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Cli.Commands;

internal static class NodeCommand
{
    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        Option<string?> config = new("--config", "-c") { Description = "A configuration file (HOCON or JSON).", HelpName = "FILE" };
        Option<string?> address = new("--address")
        {
            Description = "Where to listen, host:port. [default: 127.0.0.1:7400]",
            HelpName = "ADDR",
        };
        Option<string?> name = new("--name") { Description = "The node's name. [default: host-port]", HelpName = "NAME" };
        Option<string?> dataDir = new("--data-dir")
        {
            Description =
                "Files and output of this node's runs. Journal and checkpoints have keys of their own. "
                + "[default: actortrainer-data/nodes/PORT here]",
            HelpName = "DIR",
        };
        Option<string[]> seeds = new("--seed") { Description = "A node of the cluster to join; may be repeated.", HelpName = "ADDR" };
        Option<int?> slots = new("--slots") { Description = "Slots of tasks that run at once. [default: processors]", HelpName = "N" };
        Option<string[]> set = new("--set") { Description = "Any configuration key; may be repeated.", HelpName = "KEY=VALUE" };
        CliCommand command = new(
            "node",
            "Starts a node in the foreground. SIGTERM or Ctrl-C: it hands its tasks over and ends.",
            "actortrainer node",
            "actortrainer node --config node.conf",
            "actortrainer node --address 127.0.0.1:7401 --seed 127.0.0.1:7400",
            "actortrainer node --set actortrainer.logging.level=debug"
        )
        {
            config,
            address,
            name,
            dataDir,
            seeds,
            slots,
            set,
        };
        command.SetAction(
            async (args, cancellationToken) =>
            {
                try
                {
                    List<Flag> flags = [];
                    Add(flags, "actortrainer.node.address", args.GetValue(address), "--address");
                    Add(flags, "actortrainer.node.name", args.GetValue(name), "--name");
                    Add(flags, "actortrainer.node.data-dir", args.GetValue(dataDir), "--data-dir");
                    Add(flags, "actortrainer.node.slots", args.GetValue(slots)?.ToString(CultureInfo.InvariantCulture), "--slots");
                    Add(flags, "actortrainer.cluster.seed-nodes", Seeds(args.GetValue(seeds)), "--seed");
                    Add(flags, "actortrainer.security.token-file", args.GetValue(globals.TokenFile), "--token-file");
                    flags.AddRange(KeyValues.Parse(args.GetValue(set), "--set", "actortrainer.logging.level=debug"));
                    return await cli.NodeHost.RunAsync(cli.Files.ReadNode(args.GetValue(config), flags), cancellationToken);
                }
                catch (ConfigException e)
                {
                    await cli.Error.WriteLineAsync(e.Message);
                    return ExitCodes.Usage;
                }
                catch (Exception e) when (e is UsageException or CommandFailedException)
                {
                    await cli.Error.WriteLineAsync($"actortrainer: {e.Message}");
                    return e is UsageException ? ExitCodes.Usage : ExitCodes.Failed;
                }
            }
        );
        return command;
    }

    private static string? Seeds(string[]? seeds) => seeds is { Length: > 0 } ? string.Join(',', seeds) : null;

    private static void Add(List<Flag> flags, string key, string? value, string option)
    {
        if (value is not null)
        {
            flags.Add(new Flag(key, value, option));
        }
    }
}
