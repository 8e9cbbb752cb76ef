using Spectre.Console;
using Spectre.Console.Rendering;

namespace ActorTrainer.Cli.Output;

/// <summary>Tables as the CLI writes them: no lines, two blanks between columns, nothing at a line's end.</summary>
internal static class Tables
{
    /// <summary>
    /// A table. A header that starts with '>' is right-aligned; only columns whose header starts with '~' may be wrapped.
    /// </summary>
    public static Table Create(params string[] headers)
    {
        Table table = new() { Border = TableBorder.None };
        for (int i = 0; i < headers.Length; i++)
        {
            string header = headers[i];
            table.AddColumn(
                new TableColumn(new Text(header.TrimStart('>', '~'), new Style(decoration: Decoration.Bold)))
                {
                    Alignment = header.StartsWith('>') ? Justify.Right : Justify.Left,
                    Padding = new Padding(0, 0, i == headers.Length - 1 ? 0 : 2, 0),
                    NoWrap = !header.StartsWith('~'),
                }
            );
        }

        return table;
    }

    public static void Row(this Table table, params string[] cells) => table.AddRow(cells.Select(cell => new Text(cell)));

    public static void Row(this Table table, params IRenderable[] cells) => table.AddRow(cells);

    /// <summary>Names and values, one pair a line.</summary>
    public static Grid Pairs(params (string Name, string? Value)[] pairs)
    {
        Grid grid = new();
        grid.AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(0, 0, 2, 0) });
        grid.AddColumn(new GridColumn { Padding = new Padding(0) });
        foreach ((string name, string? value) in pairs)
        {
            if (!string.IsNullOrEmpty(value))
            {
                grid.AddRow(new Text(name, new Style(decoration: Decoration.Bold)), new Text(value));
            }
        }

        return grid;
    }

    public static void Write(CliContext cli, IRenderable renderable)
    {
        using StringWriter text = new();
        cli.CreateConsole(text).Write(renderable);
        foreach (string line in text.ToString().TrimEnd('\n').Split('\n'))
        {
            cli.Out.WriteLine(line.TrimEnd());
        }
    }
}
